using System.Globalization;

namespace Spillway.App.Load;

/// <summary>
/// The CPU time (user + system) of a process and everything below it, from /proc: what a server costs per request,
/// the one figure that a busy shared machine does not blur. Children that ended and were waited for are inside their
/// parents' sums. The kernel counts in hundredths of a second per process, so rounds of 3 s are good to about 1 %.
/// </summary>
internal sealed class ProcessCpu(string procRoot = "/proc")
{
    /// <summary>USER_HZ: 100 on every Linux architecture that .NET runs on.</summary>
    private const double TicksPerSecond = 100;

    private const int ParentField = 1;
    private const int UserTimeField = 11;
    private const int FieldsNeeded = UserTimeField + 4;

    private readonly record struct Entry(int Id, int Parent, long Ticks);

    /// <summary>Whether the process exists.</summary>
    public bool Exists(int pid) => File.Exists(StatPath(pid));

    /// <summary>CPU seconds of the tree under <paramref name="pid"/>; null when that process is gone.</summary>
    public double? ReadSeconds(int pid)
    {
        var entries = ReadAll();
        if (!entries.ContainsKey(pid))
            return null;
        var ticks = entries.Values.Where(e => IsInTree(entries, e, pid)).Sum(e => e.Ticks);
        return ticks / TicksPerSecond;
    }

    private static bool IsInTree(Dictionary<int, Entry> entries, Entry entry, int root)
    {
        // Entries are read one after another, so a reused id could close a ring: the count bounds the climb.
        for (var climbed = 0; climbed <= entries.Count; climbed++)
        {
            if (entry.Id == root)
                return true;
            if (!entries.TryGetValue(entry.Parent, out entry))
                return false;
        }

        return false;
    }

    private Dictionary<int, Entry> ReadAll()
    {
        Dictionary<int, Entry> entries = [];
        if (!Directory.Exists(procRoot))
            return entries;
        foreach (var folder in Directory.EnumerateDirectories(procRoot))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id)
                && TryRead(id, out var entry))
                entries[id] = entry;
        }

        return entries;
    }

    private bool TryRead(int id, out Entry entry)
    {
        entry = default;
        try
        {
            return TryParse(id, File.ReadAllText(StatPath(id)), out entry);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>
    /// The name of a program stands in brackets and may itself hold brackets and spaces: the last one ends it.
    /// </summary>
    private static bool TryParse(int id, string stat, out Entry entry)
    {
        entry = default;
        var fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length < FieldsNeeded
            || !int.TryParse(fields[ParentField], NumberStyles.None, CultureInfo.InvariantCulture, out var parent))
            return false;
        var ticks = 0L;
        for (var i = UserTimeField; i < FieldsNeeded; i++)
        {
            if (!long.TryParse(fields[i], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var part))
                return false;
            ticks += part;
        }

        entry = new(id, parent, ticks);
        return true;
    }

    private string StatPath(int pid) => Path.Combine(procRoot, pid.ToString(CultureInfo.InvariantCulture), "stat");
}
