using System.Buffers;
using System.Text;

namespace Spillway.Telemetry;

/// <summary>
/// The series that exist now. They come and go with models and deployments, never with requests; recording does not
/// pass through here. Thread-safe: changes under a lock replace the list, a scrape reads the list it found.
/// </summary>
internal sealed class InstrumentRegistry
{
    private readonly Lock _changing = new();
    private volatile Entry[] _entries = [];

    /// <summary>
    /// Adds the series of one owner, all or none. A series that exists already (the same family and labels) is a bug
    /// of the caller and throws, because two would make the exposition invalid.
    /// </summary>
    public void Add(object owner, IEnumerable<Series> added) => Put(owner, added, replaces: false);

    /// <summary>
    /// The same, in place of everything that the owner added before: a scrape finds the ones or the others.
    /// </summary>
    public void Replace(object owner, IEnumerable<Series> added) => Put(owner, added, replaces: true);

    /// <summary>Takes away everything that an owner added; its label values may come again with a new owner.</summary>
    public void Remove(object owner)
    {
        lock (_changing)
            _entries = [.. _entries.Where(entry => !ReferenceEquals(entry.Owner, owner))];
    }

    /// <summary>Writes everything as Prometheus' text format 0.0.4. Families without a series are left out.</summary>
    public void WriteTo(IBufferWriter<byte> output)
    {
        var text = new PrometheusText(output);
        var byFamily = _entries.ToLookup(entry => entry.Series.Spec);
        foreach (var spec in Instruments.All)
        {
            var begun = false;
            foreach (var entry in byFamily[spec])
            {
                if (!begun)
                    text.Family(spec);
                begun = true;
                entry.Series.Instrument.Write(text, spec, entry.Labels);
            }
        }
    }

    /// <summary>Every family that has series, with them, in the order of the exposition.</summary>
    public IEnumerable<(InstrumentSpec Spec, IEnumerable<Series> Series)> Families()
    {
        var byFamily = _entries.ToLookup(entry => entry.Series.Spec, entry => entry.Series);
        return Instruments.All.Where(byFamily.Contains).Select(spec => (spec, byFamily[spec]));
    }

    private void Put(object owner, IEnumerable<Series> added, bool replaces)
    {
        lock (_changing)
        {
            var all = new List<Entry>(
                replaces ? _entries.Where(entry => !ReferenceEquals(entry.Owner, owner)) : _entries);
            var taken = all.Select(entry => (entry.Series.Spec.Name, Key(entry.Labels))).ToHashSet();
            foreach (var (spec, instrument, values) in added)
            {
                var labels = PrometheusText.Labels(spec.Labels, values);
                if (!taken.Add((spec.Name, Key(labels))))
                    throw new ArgumentException($"{spec.Name}{{{Key(labels)}}} exists already.", nameof(added));
                all.Add(new(owner, new(spec, instrument, values), labels));
            }

            _entries = [.. all];
        }
    }

    private static string Key(byte[] labels) => Encoding.UTF8.GetString(labels);

    private sealed record Entry(object Owner, Series Series, byte[] Labels);
}
