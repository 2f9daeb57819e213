using Spillway.Tests.Runtimes.Onnx;

namespace Spillway.Tests.Architecture;

/// <summary>Each rule of <see cref="Tidy"/> finds what is wrong, and leaves alone what only looks like it.</summary>
public sealed class TidyRulesTests
{
    [Theory]
    [InlineData("Unfinished", "src/Spillway/A.cs", "namespace Spillway; // TO" + "DO: later")]
    [InlineData("Unfinished", "run", "# FIX" + "ME")]
    [InlineData("Namespace", "src/Spillway/Engine/A.cs", "namespace Spillway.Flow;")]
    [InlineData("Namespace", "src/Spillway/A.cs", "class A;")]
    [InlineData("Places", "docs" + "/a.md", "See /wo" + "rk/a.md.")]
    [InlineData("Places", "run", "cd '/ho" + "me/me'")]
    [InlineData("Places", "native/.npmrc", "registry=https://regis" + "try.example.org/")]
    [InlineData("Locks", "native/package-lock.json", "{ \"resol" + "ved\": 1 }")]
    [InlineData("Folders", "src/Spillway/Ut" + "ils/A.cs", "namespace Spillway.Ut" + "ils;")]
    [InlineData("Waits", "tests/Spillway.Tests/A.cs", "Thread.Sle" + "ep(10);")]
    [InlineData("Waits", "tests/Spillway.Tests/A.cs", "await Task.Del" + "ay(10, stop);")]
    public void A_breach_is_found(string rule, string path, string text) =>
        Assert.NotEmpty(Tidy.Rules[rule](new(path, text)));

    [Theory]
    [InlineData("Unfinished", "a.md", "The methodology of hackers.")]
    [InlineData("Namespace", "src/Spillway/Engine/Doors/A.cs", "namespace Spillway.Engine.Doors;")]
    [InlineData("Namespace", "tests/Shared/A.cs", "namespace Spillway.Shared;")]
    [InlineData("Namespace", "src/Spillway.App/Program.cs", "return 0;")]
    [InlineData("Places", "a.md", "See src/work/a.cs, $HOME/a and https://example.org/home/a.")]
    [InlineData("Folders", "src/Spillway/Engine/Models.cs", "")]
    [InlineData("Waits", "tests/Spillway.Tests/A.cs", "await Task.Del" + "ay(wait, TimeProvider.System, stop);")]
    [InlineData("Waits", "src/Spillway/A.cs", "Thread.Sle" + "ep(10);")]
    public void What_is_right_is_left_alone(string rule, string path, string text) =>
        Assert.Empty(Tidy.Rules[rule](new(path, text)));

    [Theory]
    [InlineData(300, "", 0)]
    [InlineData(301, "", 1)]
    [InlineData(500, "/// <remarks>This file is long because its tables belong together.</remarks>", 0)]
    [InlineData(500, "// This file is long because nobody reads this.", 1)]
    [InlineData(501, "/// <remarks>This file is long because its tables belong together.</remarks>", 1)]
    public void Long_files_say_why_and_the_longest_have_no_excuse(int lines, string header, int breaches) =>
        Assert.Equal(breaches, Tidy.Rules["Length"](
            new("src/Spillway/A.cs", header + new string('\n', lines - 1) + "end\n")).Count());

    [Theory]
    [InlineData("src/Spillway/A.cs", 160, 0)]
    [InlineData("src/Spillway/A.cs", 161, 1)]
    [InlineData("docs" + "/a.md", 161, 0)]
    public void Columns_have_an_end_in_code(string path, int columns, int breaches)
    {
        var file = new SourceFile(path, new string('x', columns) + "\n");

        Assert.Equal(breaches, Tidy.Rules["Columns"](file).Count());
        Assert.Equal(path.EndsWith(".cs", StringComparison.Ordinal) ? 1 : 0, Tidy.WideLines(file));
    }

    [Fact]
    public void A_ratchet_is_lowered_and_never_raised()
    {
        var ratchet = new Ratchet("# why\n3 Columns a.cs\n1 Length b.cs\n2 Columns c.cs\n");

        Assert.Equal(3, ratchet.Allowed("Columns", "a.cs"));
        Assert.Equal(0, ratchet.Allowed("Columns", "b.cs"));
        Assert.Equal(["1 Columns a.cs", "2 Columns c.cs"],
            ratchet.Lowered((_, path) => path switch { "a.cs" => 1, "b.cs" => 0, _ => 9 }));
    }

    [Fact]
    public void Links_are_read_from_where_they_stand()
    {
        var page = new SourceFile(
            "docs" + "/adr/a.md",
            "[a](../features/b.md#top) [c](https://example.org/d.md) [e](#here) and docs" + "/reference/f.md.");

        Assert.Equal(["docs" + "/features/b.md", "docs" + "/reference/f.md"], Tidy.Targets(page));
    }

    [Fact]
    public void Event_ids_are_read_from_both_spellings() => Assert.Equal([4001, 12], Tidy.EventIds(new(
        "a.cs", "[LoggerMessage(4001, LogLevel.Error, \"\")]\n[LoggerMessage(EventId = 12, Level = LogLevel.Error)]")));

    [Theory]
    [InlineData(8, 0)]
    [InlineData(5, 1)]
    public void A_method_above_the_limit_is_found(int linesMax, int found) => Assert.Equal(found, MethodLengths
        .Over(typeof(TidyRulesTests).Assembly.Location, Repository.Root, linesMax)
        .Count(line => line.Contains("Fixture/LongMethod.cs", StringComparison.Ordinal)));
}
