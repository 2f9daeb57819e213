using System.Text.RegularExpressions;

namespace Spillway.Tests.Packaging;

/// <summary>The rules that this project relies on in its Dockerfile. A sentence for each breach.</summary>
internal static partial class DockerfileLint
{
    /// <summary>An instruction with its continued lines as one text.</summary>
    public readonly record struct Line(string Word, string Rest);

    /// <summary>Takes a file apart: comments and empty lines fall out, continued lines become one.</summary>
    public static IReadOnlyList<Line> Parse(string text) =>
    [
        .. Continued().Replace(Comment().Replace(text, ""), " ").Split('\n', StringSplitOptions.TrimEntries)
            .Where(line => line.Length > 0).Select(line => line.Split(' ', 2))
            .Select(parts => new Line(parts[0].ToUpperInvariant(), parts.Length > 1 ? parts[1].Trim() : "")),
    ];

    /// <summary>Every breach of every rule.</summary>
    /// <param name="text">The Dockerfile.</param>
    /// <param name="exists">Whether the context has a path.</param>
    public static IEnumerable<string> Check(string text, Func<string, bool> exists)
    {
        var lines = Parse(text);
        var final = lines.Skip(lines.Select((line, i) => (line, i)).Last(x => x.line.Word == "FROM").i).ToList();
        var stages = lines.Where(l => l.Word == "FROM" && l.Rest.Contains(" AS "))
            .Select(l => l.Rest.Split(" AS ")[1].Trim()).ToHashSet();
        return lines.SelectMany(line => line.Word switch
        {
            "FROM" => From(line.Rest, stages),
            "ADD" => ["ADD fetches and unpacks in silence; use COPY."],
            "COPY" => Copy(line.Rest, stages, exists),
            "RUN" => Run(line.Rest),
            "ENV" or "ARG" => Secret().IsMatch(line.Rest) ? [$"A secret would stay in the image: {line.Rest}."] : [],
            _ => Enumerable.Empty<string>(),
        }).Concat(Final(final));
    }

    private static IEnumerable<string> From(string rest, HashSet<string> stages)
    {
        var image = rest.Split(' ')[0];
        if (!stages.Contains(image) && !Tagged().IsMatch(image))
            yield return $"{image} has no tag with a version: tomorrow it is another image.";
    }

    private static IEnumerable<string> Copy(string rest, HashSet<string> stages, Func<string, bool> exists)
    {
        var parts = rest.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var from = parts.FirstOrDefault(p => p.StartsWith("--from=", StringComparison.Ordinal))?[7..];
        if (from is not null && !stages.Contains(from))
            yield return $"COPY --from={from}: there is no such stage.";
        foreach (var path in from is null ? parts.Where(p => !p.StartsWith('-')).SkipLast(1) : [])
        {
            if (path is "." or "./")
                yield return "COPY . takes everything, also what nobody thought of; name what is needed.";
            else if (!exists(path))
                yield return $"COPY {path}: it is not in the build's context.";
        }
    }

    private static IEnumerable<string> Run(string rest)
    {
        if (rest.Contains("apt-get", StringComparison.Ordinal) || rest.Contains("apk add", StringComparison.Ordinal))
            yield return "RUN installs packages of the day; take an image that has them.";
        if (PipedToShell().IsMatch(rest))
            yield return "RUN pipes a download into a shell.";
        if (rest.Contains("npm install", StringComparison.Ordinal))
            yield return "npm install changes versions; npm ci keeps the lock.";
    }

    private static IEnumerable<string> Final(List<Line> stage)
    {
        if (stage.Exists(l => l.Word == "RUN"))
            yield return "The last stage runs commands; its image has no shell.";
        var user = stage.LastOrDefault(l => l.Word == "USER").Rest ?? "";
        if (!uint.TryParse(user.Split(':')[0], out var id) || id == 0)
            yield return "The last stage has no USER with a number above 0: Kubernetes cannot see that it is not root.";
        foreach (var word in new[] { "ENTRYPOINT", "CMD" })
        {
            if (stage.LastOrDefault(l => l.Word == word).Rest?.StartsWith('[') != true)
                yield return $"{word} is not in exec form, so a shell would get the signals.";
        }

        foreach (var problem in Surface(stage))
            yield return problem;
    }

    private static IEnumerable<string> Surface(List<Line> stage)
    {
        var health = stage.LastOrDefault(l => l.Word == "HEALTHCHECK").Rest ?? "";
        if (!health.Contains("CMD [", StringComparison.Ordinal) || health.Contains("curl") || health.Contains("wget"))
            yield return "HEALTHCHECK must be in exec form and use what the image has.";
        var ports = stage.Where(l => l.Word == "EXPOSE").SelectMany(l => l.Rest.Split(' ')).ToList();
        if (!ports.Contains("8000") || !ports.Contains("8001"))
            yield return "EXPOSE does not name 8000 and 8001.";
        if (!stage.Exists(l => l.Word == "STOPSIGNAL" && l.Rest == "SIGTERM"))
            yield return "STOPSIGNAL is not SIGTERM, on which the server drains.";
    }

    [GeneratedRegex(@"^\s*#.*$", RegexOptions.Multiline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"\\\s*\n\s*")]
    private static partial Regex Continued();

    [GeneratedRegex(@":(?!latest)[\w.-]*\d[\w.-]*$|@sha256:[0-9a-f]{64}$")]
    private static partial Regex Tagged();

    [GeneratedRegex(@"\b\w*(SECRET|TOKEN|PASSWORD|_KEY)\w*\b", RegexOptions.IgnoreCase)]
    private static partial Regex Secret();

    [GeneratedRegex(@"(curl|wget)[^|]*\|\s*(ba)?sh")]
    private static partial Regex PipedToShell();
}
