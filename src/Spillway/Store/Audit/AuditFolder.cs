using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Spillway.Store.Audit;

/// <summary>
/// Where the files of a log are. Segments are named by the index of their first record, so that their order, and a
/// missing one, show.
/// </summary>
/// <param name="path">Absolute path of the log's folder.</param>
public sealed class AuditFolder(string path)
{
    /// <summary>The log's folder inside a state folder.</summary>
    public const string Name = "audit";

    private const string SegmentEnd = ".log";

    /// <summary>Absolute path.</summary>
    public string Path => path;

    /// <summary>The signed heads, one a line.</summary>
    public string Heads => System.IO.Path.Combine(path, "heads.jsonl");

    /// <summary>The log's id.</summary>
    public string IdFile => System.IO.Path.Combine(path, "id");

    /// <summary>The key that signs heads, unless it is elsewhere.</summary>
    public string SigningKey => System.IO.Path.Combine(path, "signing.pem");

    /// <summary>Its public half: give it to whoever verifies.</summary>
    public string PublicKey => System.IO.Path.Combine(path, "signing.pub.pem");

    /// <summary>The public half of a key by its id, kept when another key follows.</summary>
    public string PublicKeyOf(string id) => System.IO.Path.Combine(path, $"signing-{id[..16]}.pub.pem");

    /// <summary>The public half of every key that ever signed here.</summary>
    public IReadOnlyList<string> PublicKeys() =>
        [.. Directory.EnumerateFiles(path, "*.pub.pem").Order(StringComparer.Ordinal)];

    /// <summary>The key that hides callers, unless it is elsewhere.</summary>
    public string CallerKey => System.IO.Path.Combine(path, "caller.key");

    /// <summary>The encrypted inputs.</summary>
    public string Payloads => System.IO.Path.Combine(path, "payloads");

    /// <summary>Takes a log's folder, or a state folder that holds one.</summary>
    public static AuditFolder At(string folder)
    {
        var inner = System.IO.Path.Combine(folder, Name);
        var full = System.IO.Path.GetFullPath(Directory.Exists(inner) ? inner : folder);
        return new(full);
    }

    /// <summary>Whether there is a log.</summary>
    public bool Exists => File.Exists(IdFile);

    /// <summary>The file of the segment that begins with that record.</summary>
    public string Segment(long first) =>
        System.IO.Path.Combine(path, first.ToString("D20", CultureInfo.InvariantCulture) + SegmentEnd);

    /// <summary>The first records of the segments, rising.</summary>
    public IReadOnlyList<long> Segments() =>
    [
        .. Directory.EnumerateFiles(path, "*" + SegmentEnd)
            .Select(f => System.IO.Path.GetFileNameWithoutExtension(f))
            .Where(n => n.Length == 20 && n.All(char.IsAsciiDigit))
            .Select(n => long.Parse(n, CultureInfo.InvariantCulture)).Order(),
    ];

    /// <summary>The log's id; empty where it cannot be read.</summary>
    public string ReadId() => Exists ? File.ReadAllText(IdFile).Trim() : "";

    /// <summary>Every head that can be read, and how many lines cannot.</summary>
    public static (IReadOnlyList<AuditHead> Heads, int Broken) ReadHeads(string file)
    {
        List<AuditHead> heads = [];
        var broken = 0;
        if (!File.Exists(file))
            return (heads, 0);
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        while (reader.ReadLine() is { } line)
        {
            if (line.Length == 0)
                continue;
            if (AuditHead.Parse(line) is { } head)
                heads.Add(head);
            else
                broken++;
        }

        return (heads, broken);
    }

    internal static string NewId() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
}
