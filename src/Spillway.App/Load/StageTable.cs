using System.Buffers.Text;
using System.Text;

namespace Spillway.App.Load;

/// <summary>
/// The names of a server's <c>Server-Timing</c> stages, in the order of first sight. Shared by an endpoint's
/// connections: reading takes no lock, a new name takes one. Bounded: further names than 24 are left out.
/// </summary>
internal sealed class StageTable
{
    public const int StagesMax = 24;

    /// <summary>By convention the sum of the others: what the server says it took until the first byte.</summary>
    public const string TotalName = "total";

    private readonly Lock _lock = new();
    private volatile byte[][] _names = [];

    public IReadOnlyList<string> Names => [.. _names.Select(Encoding.ASCII.GetString)];

    /// <summary>The number of a stage; -1 when the table is full. <paramref name="hint"/> is tried first.</summary>
    public int IndexOf(ReadOnlySpan<byte> name, int hint)
    {
        var names = _names;
        if (hint < names.Length && name.SequenceEqual(names[hint]))
            return hint;
        var found = Find(names, name);
        return found >= 0 ? found : Add(name);
    }

    private static int Find(byte[][] names, ReadOnlySpan<byte> name)
    {
        for (var i = 0; i < names.Length; i++)
        {
            if (name.SequenceEqual(names[i]))
                return i;
        }

        return -1;
    }

    private int Add(ReadOnlySpan<byte> name)
    {
        lock (_lock)
        {
            var names = _names;
            var found = Find(names, name);
            if (found >= 0 || names.Length == StagesMax)
                return found;
            _names = [.. names, name.ToArray()];
            return names.Length;
        }
    }
}

/// <summary>The stage durations of one answer: a slot per stage of the table, reused for each answer.</summary>
internal sealed class StageTimes(StageTable table)
{
    private const int NameBytesMax = 40;

    private readonly long[] _ns = new long[StageTable.StagesMax];
    private int _hint;

    /// <summary>One more than the highest stage seen in this answer.</summary>
    public int Count { get; private set; }

    /// <summary>Nanoseconds; -1 when this answer did not name the stage.</summary>
    public long this[int stage] => _ns[stage];

    public void Clear()
    {
        _ns.AsSpan(0, Count).Fill(-1);
        (Count, _hint) = (0, 0);
    }

    /// <summary>
    /// Reads a header value such as <c>queue;dur=0.42, execute;desc="a, b";dur=3</c>. Malformed parts are left out.
    /// </summary>
    public void Read(ReadOnlySpan<byte> value)
    {
        while (!value.IsEmpty)
        {
            var end = EndOfEntry(value);
            ReadEntry(value[..end].Trim((byte)' '));
            value = end == value.Length ? [] : value[(end + 1)..];
        }
    }

    private static int EndOfEntry(ReadOnlySpan<byte> value)
    {
        if (!value.Contains((byte)'"'))
            return value.IndexOf((byte)',') is >= 0 and var comma ? comma : value.Length;
        var quoted = false;
        for (var i = 0; i < value.Length; i++)
        {
            if (value[i] == '"')
                quoted = !quoted;
            else if (value[i] == ',' && !quoted)
                return i;
        }

        return value.Length;
    }

    private void ReadEntry(ReadOnlySpan<byte> entry)
    {
        var nameEnd = entry.IndexOf((byte)';');
        if (nameEnd is <= 0 or > NameBytesMax)
            return;
        var at = entry.IndexOf("dur="u8);
        if (at < 0 || !Utf8Parser.TryParse(entry[(at + 4)..], out double ms, out _) || !(ms >= 0 && ms < 1e9))
            return;
        var stage = table.IndexOf(entry[..nameEnd], _hint);
        if (stage < 0)
            return;
        if (stage >= Count)
        {
            _ns.AsSpan(Count, stage + 1 - Count).Fill(-1);
            Count = stage + 1;
        }

        _ns[stage] = (long)(ms * LoadClock.PerMillisecond);
        _hint = stage + 1;
    }
}
