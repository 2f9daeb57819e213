using Spillway.Config;
using Spillway.Policies.Identity;

namespace Spillway.Engine.Access;

/// <summary>What somebody wants a new key to be.</summary>
internal sealed record KeyOrder
{
    /// <summary>Most names of a key's models.</summary>
    public const int ModelsMax = 100;

    /// <summary>Most decimals of a rounded answer.</summary>
    public const int DecimalsMax = 9;

    /// <summary>Who pays.</summary>
    public required string Tenant { get; init; }

    /// <summary>The label in the key's text.</summary>
    public string Environment { get; init; } = "live";

    /// <summary>What a person calls it.</summary>
    public string Name { get; init; } = "";

    /// <summary>What its holder may do.</summary>
    public Roles Roles { get; init; } = Roles.Caller;

    /// <summary>Served names; null for all.</summary>
    public IReadOnlyList<string>? Models { get; init; }

    /// <summary>How much of an answer its holder sees.</summary>
    public AnswerDetail Detail { get; init; } = AnswerDetail.Full;

    /// <summary>The most critical class that its holder's requests may have.</summary>
    public Criticality Criticality { get; init; } = Criticality.Critical;

    /// <summary>How long it works; null for ever.</summary>
    public TimeSpan? Lifetime { get; init; }

    /// <summary>Null, or what is wrong with it.</summary>
    /// <param name="tenants">The tenants that there are; empty when any name will do.</param>
    public Fault? Check(IReadOnlyCollection<string> tenants)
    {
        if (!AccessNames.IsTenant(Tenant))
            return Wrong("tenant", Tenant, $"a tenant's name is {AccessNames.TenantInWords}");
        if (tenants.Count > 0 && !tenants.Contains(Tenant))
        {
            var near = Suggestion.Nearest(Tenant, tenants);
            return Wrong("tenant", Tenant, $"the configuration has the tenants {string.Join(", ", tenants.Take(20))}"
                + (near.Length > 0 ? $"; did you mean {near}?" : ""));
        }

        if (!KeyText.IsEnvironment(Environment))
            return Wrong("environment", Environment, "it is 1 to 16 small letters and digits, such as live or test");
        if (!AccessNames.IsKeyName(Name))
            return Wrong("name", Name, $"it has at most {AccessNames.KeyNameLengthMax} characters, no control "
                + $"characters");
        if (Roles == Roles.None)
            return Fault.Invalid($"'roles' is empty: give {string.Join(", ", RoleWords.All)}, one or more.");
        return CheckModels() ?? CheckNumbers();
    }

    private Fault? CheckModels()
    {
        if (Models is null)
            return null;
        if (Models.Count is 0 or > ModelsMax)
            return Fault.Invalid($"'models' has {Models.Count} names: give 1 to {ModelsMax}, or leave it out for all.");
        var bad = Models.FirstOrDefault(m => !ModelChecks.IsName(m));
        return bad is null ? null : Wrong("models", bad,
            "a served name has 1 to 128 letters, digits, dots, underscores "
            + "and dashes");
    }

    private Fault? CheckNumbers()
    {
        if (Lifetime <= TimeSpan.Zero || Lifetime > TimeSpan.FromDays(3660))
            return Fault.Invalid("The key's lifetime must be more than nothing, and at most ten years.");
        if (Detail.TopK is < 1 or > 10_000)
            return Fault.Invalid($"'top_k' is {Detail.TopK}: give 1 to 10,000, or leave it out for all classes.");
        return Detail.Decimals is < 0 or > DecimalsMax
            ? Fault.Invalid($"'decimals' is {Detail.Decimals}: give 0 to {DecimalsMax}, or leave it out for exact "
                + $"numbers.")
            : null;
    }

    private static Fault Wrong(string member, string value, string rule) =>
        Fault.Invalid($"'{member}' is '{ErrorList.Clean(value)}': {rule}.");
}

/// <summary>A key with its text, which nobody can show again.</summary>
/// <param name="Text">The secret text, for its holder.</param>
/// <param name="Key">What is known of it.</param>
internal sealed record IssuedKey(string Text, AccessKey Key);
