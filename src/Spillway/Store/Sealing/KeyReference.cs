namespace Spillway.Store.Sealing;

/// <summary>
/// A secret that configuration names and does not hold: env:NAME for a variable, else the path of a file that only its
/// owner may read.
/// </summary>
public static class KeyReference
{
    /// <summary>What a reference to a variable begins with.</summary>
    public const string Variable = "env:";

    private const int BytesMax = 64 * 1024;

    /// <summary>Whether it names a variable.</summary>
    public static bool IsVariable(string reference) => reference.StartsWith(Variable, StringComparison.Ordinal);

    /// <summary>The secret's text, or a fault that says why it cannot be read, and never what it is.</summary>
    /// <param name="reference">As above, its path absolute.</param>
    /// <param name="key">The configuration's key, for the fault.</param>
    /// <param name="variables">Environment variables.</param>
    public static Outcome<string> Read(string reference, string key, IReadOnlyDictionary<string, string> variables)
    {
        if (IsVariable(reference))
        {
            var name = reference[Variable.Length..];
            return variables.TryGetValue(name, out var value) && value.Length > 0
                ? value
                : new Fault(FaultKind.StoreFailed, $"{key} names the variable {name}, which is not set or empty. "
                    + "Set it "
                    + "where the server is started.");
        }

        try
        {
            if (OwnerOnly.IsOpenToOthers(reference))
            {
                return new Fault(FaultKind.StoreFailed, $"{key}: others than its owner may read {reference}. Run: "
                    + "chmod "
                    + $"600 {reference}");
            }

            return new FileInfo(reference).Length > BytesMax
                ? new Fault(FaultKind.StoreFailed, $"{key}: {reference} has more than {BytesMax:N0} bytes; it is no "
                    + "key.")
                : File.ReadAllText(reference);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new Fault(FaultKind.StoreFailed, $"{key}: {reference} cannot be read: {e.Message}");
        }
    }
}
