using System.Text.RegularExpressions;

namespace Spillway.Tests.Architecture;

/// <summary>
/// The habits of CONTRIBUTING.md that a machine can see in a text file. Each rule gives a sentence for each breach.
/// The words that it looks for are written in pieces here, or this file would be its own first breach.
/// </summary>
internal static partial class Tidy
{
    public const int LinesMax = 500;
    public const int LinesWithoutReasonMax = 300;
    public const int HeaderLines = 40;
    public const int ColumnsMax = 160;
    public const int ColumnsHabit = 120;

    /// <summary>Begins the sentence that a long file owes its reader, in the first 40 lines.</summary>
    public const string LongFileWords = "This file is long because";

    private static readonly string[] s_folders = ["Utils", "Helpers", "Common", "Manager", "Model", "Models"];

    private static readonly string[] s_measured =
        [".cs", ".sh", ".yaml", ".yml", ".csproj", ".props", ".targets", ".slnx", ""];

    /// <summary>Every rule by its name.</summary>
    public static IReadOnlyDictionary<string, Func<SourceFile, IEnumerable<string>>> Rules { get; } =
        new Dictionary<string, Func<SourceFile, IEnumerable<string>>>
        {
            [nameof(Length)] = Length,
            [nameof(Unfinished)] = Unfinished,
            [nameof(Namespace)] = Namespace,
            [nameof(Places)] = Places,
            [nameof(Locks)] = Locks,
            [nameof(Folders)] = Folders,
            [nameof(Columns)] = Columns,
            [nameof(Waits)] = Waits,
        };

    /// <summary>Lines of C# beyond the habit, for the ratchet.</summary>
    public static int WideLines(SourceFile file) =>
        file.Extension == ".cs" ? file.Lines.Count(line => line.Length > ColumnsHabit) : 0;

    /// <summary>The files that a text links to or names below docs/, from the root.</summary>
    public static IEnumerable<string> Targets(SourceFile file)
    {
        if (file.Extension == ".md")
        {
            var folder = Path.GetDirectoryName(file.Path) ?? "";
            foreach (Match link in MarkdownLink().Matches(file.Text))
            {
                var target = link.Groups["to"].Value.Split('#')[0];
                if (target.Length > 0 && !target.Contains("://", StringComparison.Ordinal))
                    yield return Path.GetRelativePath("/", Path.GetFullPath(Path.Combine("/", folder, target)));
            }
        }

        foreach (Match named in DocsPath().Matches(file.Text))
            yield return named.Value;
    }

    /// <summary>The numbers of the log events that a file declares.</summary>
    public static IEnumerable<int> EventIds(SourceFile file) =>
        file.Extension == ".cs" ? EventId().Matches(file.Text).Select(m => int.Parse(m.Groups[1].Value)) : [];

    private static IEnumerable<string> Length(SourceFile file)
    {
        if (file.Generated)
            yield break;
        if (file.Lines.Length > LinesMax)
            yield return $"{file.Path} has {file.Lines.Length} lines; {LinesMax} is the end. Split it by subject.";
        else if (file.Lines.Length > LinesWithoutReasonMax && file.Extension == ".cs" && !file.Lines.Take(HeaderLines)
            .Any(line => line.TrimStart().StartsWith("///", StringComparison.Ordinal)
                && line.Contains(LongFileWords, StringComparison.Ordinal)))
            yield return $"{file.Path} has {file.Lines.Length} lines. Split it, or say why it is one file: "
                + $"\"{LongFileWords} …\" in the doc comment of its first {HeaderLines} lines.";
    }

    private static IEnumerable<string> Unfinished(SourceFile file) => Find(file, UnfinishedWords(),
        "finish it, or file it where work is planned");

    private static IEnumerable<string> Namespace(SourceFile file)
    {
        if (file.Extension != ".cs")
            yield break;
        var declared = NamespaceLine().Match(file.Text);
        var folders = Path.GetDirectoryName(file.Path)!.Split('/')[1..];
        // tests/Shared is compiled into tests and benchmarks alike.
        var expected = folders is ["Shared", ..] ? "Spillway.Shared" : string.Join('.', folders);
        if (!declared.Success && Path.GetFileName(file.Path) != "Program.cs")
            yield return $"{file.Path} declares no file-scoped namespace; it belongs to {expected}.";
        else if (declared.Success && declared.Groups[1].Value != expected)
            yield return $"{file.Path} declares {declared.Groups[1].Value}; its folder says {expected}.";
    }

    private static IEnumerable<string> Places(SourceFile file) =>
        Find(file, MachinePath(), "a path of somebody's machine means nothing elsewhere")
            .Concat(Find(file, RegistryHost(), "where packages come from is the business of the machine that fetches"));

    private static IEnumerable<string> Locks(SourceFile file) =>
        Path.GetFileName(file.Path).Contains("lock", StringComparison.Ordinal) && file.Extension == ".json"
            ? Find(file, Resolved(), "set omit-lockfile-registry-resolved=true in .npmrc and write the lock anew") : [];

    private static IEnumerable<string> Folders(SourceFile file) =>
        file.Path.Split('/')[..^1].Where(s_folders.Contains)
            .Select(folder => $"{file.Path}: a folder called {folder} says nothing. Name it by what it owns.");

    private static IEnumerable<string> Columns(SourceFile file) => !s_measured.Contains(file.Extension) ? []
        : file.Lines.Select((line, i) => (line.Length, Number: i + 1)).Where(line => line.Length > ColumnsMax)
            .Select(line => $"{file.Path}:{line.Number} has {line.Length} columns; at most {ColumnsMax}.");

    private static IEnumerable<string> Waits(SourceFile file) =>
        file.Path.StartsWith("tests/", StringComparison.Ordinal) && file.Extension == ".cs"
            ? Find(file, BlindWait(), "wait for what must happen, or move a manual clock") : [];

    private static IEnumerable<string> Find(SourceFile file, Regex pattern, string remedy) =>
        file.Lines.Select((line, i) => (Match: pattern.Match(line), Number: i + 1)).Where(line => line.Match.Success)
            .Select(line => $"{file.Path}:{line.Number} holds '{line.Match.Value}': {remedy}.");

    [GeneratedRegex(@"\b(TO" + @"DO|FIX" + @"ME|HA" + @"CK)\b")]
    private static partial Regex UnfinishedWords();

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex NamespaceLine();

    [GeneratedRegex(@"(?<![\w.$}~-])/(work|root|home)/\w")]
    private static partial Regex MachinePath();

    [GeneratedRegex(@"https?://[\w.-]*(registry|nuget|npmjs|pypi|artifactory|nexus|mirror|proxy)[\w.-]*\.\w+")]
    private static partial Regex RegistryHost();

    [GeneratedRegex("\"resol" + "ved\"")]
    private static partial Regex Resolved();

    [GeneratedRegex(@"Thread\.Sle" + @"ep\(|Task\.Del" + @"ay\((?![^;]*(TimeProvider|[cC]lock))")]
    private static partial Regex BlindWait();

    [GeneratedRegex(@"\[[^\]]*\]\((?<to>[^)\s]+)\)")]
    private static partial Regex MarkdownLink();

    [GeneratedRegex(@"(?<![\w/.])docs/[\w./-]+\.(md|json)\b")]
    private static partial Regex DocsPath();

    [GeneratedRegex(@"\[LoggerMessage\(\s*(?:EventId\s*=\s*)?(\d+)")]
    private static partial Regex EventId();
}
