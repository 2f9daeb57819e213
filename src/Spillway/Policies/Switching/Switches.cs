using System.Collections.Frozen;

namespace Spillway.Policies.Switching;

/// <summary>What a kill switch turns off.</summary>
public enum SwitchKind
{
    /// <summary>Everything.</summary>
    Everything,

    /// <summary>One deployment.</summary>
    Model,

    /// <summary>One served name.</summary>
    Route,

    /// <summary>One tenant.</summary>
    Tenant,
}

/// <summary>What is turned off.</summary>
/// <param name="Kind">Of what kind.</param>
/// <param name="Name">Which one; empty for everything.</param>
public readonly record struct SwitchTarget(SwitchKind Kind, string Name)
{
    /// <summary>Whether it concerns a request.</summary>
    public bool Concerns(string tenant, string model, string route) => Kind switch
    {
        SwitchKind.Everything => true,
        SwitchKind.Model => Name == model,
        SwitchKind.Route => Name == route,
        SwitchKind.Tenant => Name == tenant,
    };

    /// <summary>"everything", "model line-ocr".</summary>
    public override string ToString() => Kind switch
    {
        SwitchKind.Everything => "everything",
        SwitchKind.Model => $"model {Name}",
        SwitchKind.Route => $"route {Name}",
        SwitchKind.Tenant => $"tenant {Name}",
    };
}

/// <summary>One thing that is off.</summary>
/// <param name="Target">What.</param>
/// <param name="Since">Since when.</param>
/// <param name="Why">What its operator said; empty for nothing.</param>
public sealed record SwitchedOff(SwitchTarget Target, DateTimeOffset Since, string Why)
{
    /// <summary>Found as a file in the state folder: only its removal turns on again.</summary>
    public bool ByFile { get; init; }
}

/// <summary>
/// Everything that is off at one moment. Immutable: a flip makes another one, which is swapped in, so that the very
/// next request meets it. Asking costs one comparison when nothing is off.
/// </summary>
public sealed class Switches
{
    private readonly bool _everything;
    private readonly FrozenSet<string> _models;
    private readonly FrozenSet<string> _routes;
    private readonly FrozenSet<string> _tenants;

    private Switches(IReadOnlyList<SwitchedOff> off)
    {
        Off = off;
        _everything = off.Any(o => o.Target.Kind is SwitchKind.Everything);
        (_models, _routes, _tenants) = (Names(SwitchKind.Model), Names(SwitchKind.Route), Names(SwitchKind.Tenant));
        FrozenSet<string> Names(SwitchKind kind) =>
            off.Where(o => o.Target.Kind == kind).Select(o => o.Target.Name).ToFrozenSet(StringComparer.Ordinal);
    }

    /// <summary>Nothing is off.</summary>
    public static Switches AllOn { get; } = new([]);

    /// <summary>What is off, in the order in which it was turned off.</summary>
    public IReadOnlyList<SwitchedOff> Off { get; }

    /// <summary>With these off.</summary>
    public static Switches Of(IEnumerable<SwitchedOff> off) =>
        new Switches([.. off]) is { Off.Count: > 0 } some ? some : AllOn;

    /// <summary>With one more off; its earlier entry gives way.</summary>
    public Switches With(SwitchedOff off) =>
        new([.. Off.Where(o => o.Target != off.Target || o.ByFile != off.ByFile), off]);

    /// <summary>With one on again; what the file turned off stays off.</summary>
    public Switches Without(SwitchTarget target) => Of(Off.Where(o => o.Target != target || o.ByFile));

    /// <summary>Without what the file turned off.</summary>
    public Switches WithoutFile() => Of(Off.Where(o => !o.ByFile));

    /// <summary>What is off of that a request needs, the widest first; null when it may pass.</summary>
    public SwitchedOff? Stops(string tenant, string model, string route)
    {
        if (Off.Count == 0)
            return null;
        if (!_everything && !_models.Contains(model) && !_routes.Contains(route) && !_tenants.Contains(tenant))
            return null;
        return Off.Where(o => o.Target.Concerns(tenant, model, route)).MinBy(o => o.Target.Kind);
    }
}
