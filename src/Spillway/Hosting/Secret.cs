using System.Text;
using Spillway.Store.Keys;

namespace Spillway.Hosting;

/// <summary>A secret of the configuration, which says only where it lies: env:NAME or file:PATH.</summary>
internal static class Secret
{
    /// <summary>Reads it, or says why it cannot be.</summary>
    /// <param name="reference">Validated.</param>
    /// <param name="key">The configuration's key, for the message.</param>
    public static Outcome<byte[]> Read(string reference, string key)
    {
        var (kind, place) = (reference[..reference.IndexOf(':', StringComparison.Ordinal)],
            reference[(reference.IndexOf(':', StringComparison.Ordinal) + 1)..]);
        if (kind != "env")
        {
            return PepperFile.Read(place).TryGet(out var bytes, out var fault)
                ? bytes : fault with { Message = $"{key}: {fault.Message}" };
        }

        return Environment.GetEnvironmentVariable(place) is { Length: > 0 } value
            ? Encoding.UTF8.GetBytes(value)
            : new Fault(FaultKind.StoreFailed, $"{key} names the variable {place}, which is not set. Set it, or change "
                + "the key.");
    }
}
