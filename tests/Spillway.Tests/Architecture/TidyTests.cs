using Spillway.Tests.Runtimes.Onnx;

namespace Spillway.Tests.Architecture;

/// <summary>Holds the repository to its habits; <see cref="TidyRulesTests"/> shows that each rule can fail.</summary>
public sealed class TidyTests
{
    private const int MethodLinesMax = 70;
    private const int FileBytesMax = 1024 * 1024;

    private static readonly string s_ratchet = Repository.At("tests", "Spillway.Tests", "Architecture", "ratchet.txt");

    public static TheoryData<string> RuleNames => [.. Tidy.Rules.Keys];

    [Theory]
    [MemberData(nameof(RuleNames))]
    public void Every_file_keeps_the_rule(string rule)
    {
        var ratchet = new Ratchet(File.ReadAllText(s_ratchet));
        foreach (var file in Checkout.Texts)
        {
            var breaches = Tidy.Rules[rule](file).ToList();
            Assert.True(breaches.Count <= ratchet.Allowed(rule, file.Path), string.Join('\n', breaches)
                + $"\n(Only what is older than the rule may stand in ratchet.txt: "
                + $"{Ratchet.Line(breaches.Count, rule, file.Path)})");
        }
    }

    [Fact]
    public void Lines_wider_than_the_habit_become_fewer()
    {
        var allowed = new Ratchet(File.ReadAllText(s_ratchet)).Allowed(nameof(Tidy.WideLines), Ratchet.All);
        var files = Checkout.Texts.Select(file => (Wide: Tidy.WideLines(file), file.Path))
            .Where(f => f.Wide > 0).ToList();
        var count = files.Sum(f => f.Wide);

        Assert.True(count <= allowed,
            $"{count} lines of C# are wider than {Tidy.ColumnsHabit} columns; {allowed} were. The widest files: "
            + string.Join(", ", files.OrderByDescending(f => f.Wide).Take(5).Select(f => $"{f.Path} ({f.Wide})")));
    }

    [Fact]
    public void The_ratchet_holds_nothing_that_is_mended()
    {
        var text = File.ReadAllText(s_ratchet);
        var header = text.Split('\n').TakeWhile(line => line.StartsWith('#'));
        var lowered = string.Join('\n', header.Concat(new Ratchet(text).Lowered(Actual))) + "\n";
        if (Environment.GetEnvironmentVariable("SPILLWAY_UPDATE_DOCS") == "1")
            File.WriteAllText(s_ratchet, text = lowered);

        Assert.Equal(lowered, text);
    }

    [Fact]
    public void Every_link_and_named_page_exists() => Empty(Checkout.Texts
        .SelectMany(file => Tidy.Targets(file).Select(target => (file.Path, target)))
        .Where(link => !Path.Exists(Checkout.Full(link.target)))
        .Select(link => $"{link.Path} points to {link.target}, which does not exist."));

    [Fact]
    public void Event_ids_are_unique() => Empty(Checkout.Texts
        .Where(file => file.Path.StartsWith("src/", StringComparison.Ordinal))
        .SelectMany(file => Tidy.EventIds(file).Select(id => (id, file.Path)))
        .GroupBy(e => e.id).Where(e => e.Count() > 1)
        .Select(e => $"Event {e.Key} is declared {e.Count()} times: {string.Join(", ", e.Select(x => x.Path))}."));

    [Fact]
    public void No_file_is_larger_than_a_mebibyte() => Empty(Checkout.Paths
        .Select(path => (path, new FileInfo(Checkout.Full(path)).Length)).Where(file => file.Length > FileBytesMax)
        .Select(file => $"{file.path} has {file.Length} bytes; at most {FileBytesMax}. Generate it, or fetch it."));

    [Theory]
    [InlineData("Spillway")]
    [InlineData("Spillway.Runtimes")]
    [InlineData("Spillway.App")]
    [InlineData("Spillway.Tests")]
    public void Methods_fit_a_screen(string assembly) => Empty(MethodLengths.Over(
        Path.Combine(AppContext.BaseDirectory, assembly + ".dll"), Repository.Root, MethodLinesMax));

    private static int Actual(string rule, string path) => path == Ratchet.All
        ? Checkout.Texts.Sum(Tidy.WideLines)
        : Checkout.Texts.Where(file => file.Path == path).Sum(file => Tidy.Rules[rule](file).Count());

    private static void Empty(IEnumerable<string> breaches)
    {
        var list = breaches.ToList();
        Assert.True(list.Count == 0, string.Join('\n', list));
    }
}
