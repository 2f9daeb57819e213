namespace Spillway.Policies.Sharing;

/// <summary>One tenant's part of what several share by weight.</summary>
public abstract class TenantPart
{
    /// <summary>Relative to the others'; above 0.</summary>
    public double Weight { get; internal set; } = 1;

    /// <summary>When it last wanted something.</summary>
    internal Instant Seen { get; set; }
}

/// <summary>
/// The tenants that share something and were there of late, each with its part. Beyond a number of them the rest are
/// one part together, so a flood of names takes no memory. Pure, one owner; allocates for a new tenant only.
/// </summary>
/// <typeparam name="T">What is kept of each.</typeparam>
/// <param name="most">Tenants that are told apart; at least 1.</param>
/// <param name="silence">Who was silent for so long may be forgotten.</param>
internal sealed class TenantParts<T>(int most, TimeSpan silence)
    where T : TenantPart, new()
{
    private readonly Dictionary<string, T> _byName = new(StringComparer.Ordinal);
    private readonly List<string> _silent = [];
    private readonly List<T> _gone = [];

    /// <summary>Sum of the weights of all; 0 when there is none.</summary>
    public double Weights { get; private set; }

    /// <summary>Every part.</summary>
    public Dictionary<string, T>.ValueCollection All => _byName.Values;

    /// <summary>The part of a tenant that wants something now; the common one when there are too many.</summary>
    /// <param name="tenant">Its name.</param>
    /// <param name="weight">Of a new one; what is not above 0 counts as 1.</param>
    /// <param name="now">The present.</param>
    /// <param name="isNew">It was made just now.</param>
    public T Find(string tenant, double weight, Instant now, out bool isNew)
    {
        isNew = false;
        if (!_byName.TryGetValue(tenant, out var part))
        {
            var name = _byName.Count < most ? tenant : "";
            if (!_byName.TryGetValue(name, out part))
            {
                (_byName[name], isNew) = (part = new() { Weight = weight > 0 ? weight : 1 }, true);
                Weights += part.Weight;
            }
        }

        part.Seen = now;
        return part;
    }

    /// <summary>The part of a tenant that is known by its own name; null for one of the common part.</summary>
    public T? Known(string tenant) => _byName.GetValueOrDefault(tenant);

    /// <summary>Forgets who was silent; the parts that went, valid until the next call.</summary>
    /// <param name="now">The present.</param>
    /// <param name="mayGo">Whether a silent one owes nothing and holds nothing.</param>
    public List<T> Forget(Instant now, Func<T, bool> mayGo)
    {
        _gone.Clear();
        foreach (var (tenant, part) in _byName)
        {
            if (now - part.Seen > silence && mayGo(part))
                _silent.Add(tenant);
        }

        foreach (var tenant in _silent)
        {
            _byName.Remove(tenant, out var part);
            _gone.Add(part!);
            Weights -= part!.Weight;
        }

        _silent.Clear();
        // What is left over of adding and taking away the same numbers is no weight.
        if (_byName.Count == 0)
            Weights = 0;
        return _gone;
    }
}
