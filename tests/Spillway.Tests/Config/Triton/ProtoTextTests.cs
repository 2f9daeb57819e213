using System.Text;
using Spillway.Config;
using Spillway.Config.Triton;

namespace Spillway.Tests.Config.Triton;

/// <summary>The lexical and syntactic rules of the text form, and what breaks them.</summary>
public sealed class ProtoTextTests
{
    [Theory]
    [InlineData("a: 1", "a=Number 1")]
    [InlineData("a:1b:2", null)]
    [InlineData("a: 1 b: 2", "a=Number 1;b=Number 2")]
    [InlineData("a: 1, b: 2; c: 3", "a=Number 1;b=Number 2;c=Number 3")]
    [InlineData("a: -1", "a=Number -1")]
    [InlineData("a: - # why not\n 1", "a=Number -1")]
    [InlineData("a: 017 b: 0x1F c: 0", "a=Number 15;b=Number 31;c=Number 0")]
    [InlineData("a: 18446744073709551615", "a=Number 18446744073709551615")]
    [InlineData("a: 1.5 b: .5 c: 2. d: 1e3 e: 1E-3 f: 2f g: 1.5F",
        "a=Number 1.5;b=Number .5;c=Number 2.;d=Number 1e3;e=Number 1E-3;f=Number 2.0;g=Number 1.5")]
    [InlineData("a: inf b: -inf c: nan d: true e: TYPE_FP32",
        "a=Word inf;b=Word -inf;c=Word nan;d=Word true;e=Word TYPE_FP32")]
    [InlineData("a: \"x\" b: 'y' c: \"it's\" d: 'say \"hi\"'", "a=Text x;b=Text y;c=Text it's;d=Text say \"hi\"")]
    [InlineData("a: \"x\" 'y' # then\n \"z\"", "a=Text xyz")]
    [InlineData("a: \"\\n\\t\\\\\\\"\\'\\?\"", "a=Text \n\t\\\"'?")]
    [InlineData("a: \"\\101\\x42\\u00e4\\U0001F600\\303\\266\"", "a=Text AB\u00e4\U0001F600\u00f6")]
    [InlineData("a: \"\\0\"", "a=Text \0")]
    [InlineData("a: \"\\303\" \"\\266\"", "a=Text \u00f6")]
    [InlineData("a { b: 1 }", "a={b=Number 1}")]
    [InlineData("a: { b: 1 }", "a={b=Number 1}")]
    [InlineData("a < b: 1 >", "a={b=Number 1}")]
    [InlineData("a { } b: <>", "a={};b={}")]
    [InlineData("a: [1, 2, -3]", "a=[Number 1,Number 2,Number -3]")]
    [InlineData("a: []", "a=[]")]
    [InlineData("a [ { b: 1 }, < b: 2 > ]", "a=[{b=Number 1},{b=Number 2}]")]
    [InlineData("a: [ \"x\" \"y\", 'z' ]", "a=[Text xy,Text z]")]
    [InlineData("# only a comment", "")]
    [InlineData("", "")]
    [InlineData("\r\n\ta\r\n:\v1\f", "a=Number 1")]
    [InlineData("a: 1 a: 2", "a=Number 1;a=Number 2")]
    [InlineData("a: \"\u00e4\u6f22\"", "a=Text \u00e4\u6f22")]
    public void Every_rule_of_the_text_form_is_read(string text, string? expected)
    {
        var errors = new ErrorList();

        var message = ProtoText.Read(text, "f", "k", errors);

        Assert.Equal(expected, message is null ? null : Show(message));
        Assert.Equal(expected is null ? 1 : 0, errors.Count);
    }

    [Theory]
    [InlineData("a: 1\nb: $\n", 2, 4, "placeholder", "Fill in")]
    [InlineData("a: 1\n  b: {\n c: 1\n", 2, 6, "never closed with }", "Add }")]
    [InlineData("a < b: 1 }", 1, 10, "A field's name", "Check the brackets")]
    [InlineData("a: [1, 2\nb: 3", 2, 1, "comma is missing", "Write a comma")]
    [InlineData("a: [1, 2", 1, 4, "never closed with ]", "Add ]")]
    [InlineData("a: [1, 2,]", 1, 10, "value is missing after the comma", "Remove the comma")]
    [InlineData("a: [[1]]", 1, 5, "inside a list", "one list")]
    [InlineData("a 1", 1, 3, "A colon is missing after a", "Write a:")]
    [InlineData("a:\n}", 2, 1, "A value is missing after a", "Write a number")]
    [InlineData("a: -x", 1, 5, "A value is missing", "Write a number")]
    [InlineData("a: \"x\nb: 1", 1, 4, "not closed in its line", "Add \"")]
    [InlineData("a: \"x\0\"", 1, 4, "not closed in its line", "Add \"")]
    [InlineData("a: \"\\q\"", 1, 6, "escape is unknown", "backslash")]
    [InlineData("a: \"\\x\"", 1, 6, "escape is unknown", "backslash")]
    [InlineData("a: \"\\777\"", 1, 6, "escape is unknown", "backslash")]
    [InlineData("a: \"\\ud800\"", 1, 6, "escape is unknown", "backslash")]
    [InlineData("a: \"\\377\"", 1, 4, "do not give UTF-8", "Write the characters")]
    [InlineData("a: 0x", 1, 4, "not a number", "Write digits")]
    [InlineData("a: 08", 1, 4, "not a number", "Write digits")]
    [InlineData("a: 1x", 1, 4, "not a number", "Write digits")]
    [InlineData("a: 1.2.3", 1, 4, "not a number", "Write digits")]
    [InlineData("[com.x/y]: 1", 1, 1, "Extensions", "Remove")]
    [InlineData("a: 1 \0", 1, 6, "U+0000", "Remove it")]
    [InlineData("a: 1 /* no */", 1, 6, "A field's name", "Check")]
    [InlineData("}", 1, 1, "A field's name", "Check")]
    [InlineData("\"a\": 1", 1, 1, "A field's name", "Check")]
    public void Text_that_makes_no_sense_is_one_error_with_line_column_and_remedy(
        string text, int line, int column, string problem, string remedy)
    {
        var errors = new ErrorList();

        Assert.Null(ProtoText.Read(text, "f", "k", errors));

        var error = Assert.Single(errors.ToArray());
        Assert.Equal(("f", line, column), (error.File, error.Line, error.Column));
        Assert.Contains(problem, error.Problem, StringComparison.Ordinal);
        Assert.Contains(remedy, error.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void Hostile_text_ends_in_an_error_within_bounds()
    {
        foreach (var text in (string[])
        [
            string.Concat(Enumerable.Repeat("a{", 500_000)), string.Concat(Enumerable.Repeat("a<", 500_000)),
            string.Concat(Enumerable.Repeat("a:[{", 250_000)), new string('[', 1_000_000),
            string.Concat(Enumerable.Repeat("a:1 ", 200_000)), "a: [" + string.Concat(Enumerable.Repeat("1,", 400_000)),
            "a: \"" + new string('x', 10_000_000), new string('9', 1_000_000), "a: " + new string('7', 1_000_000),
            "a: 0" + new string('7', 1_000_000), "a: 0x" + new string('f', 1_000_000), new string('\0', 1000),
            "a: 1" + new string('e', 100_000), new string('-', 100_000), "a:" + new string('-', 100_000),
        ])
        {
            var errors = new ErrorList();
            Assert.Null(ProtoText.Read(text, "f", "k", errors));
            Assert.All(errors.ToArray(), e => Assert.True(e.Value.Length <= 120 && e.Problem.Length < 500));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Damaged_files_give_errors_with_a_place_but_never_throw(int seed)
    {
        const string Alphabet = "{}<>[]:,;\"'\\#-.0x9eT \n\0$_";
        var random = new Random(seed);
        var sources = Corpus.All.Select(Corpus.Text).ToArray();
        for (var round = 0; round < 2000; round++)
        {
            var text = new StringBuilder(sources[random.Next(sources.Length)]);
            for (var edits = random.Next(1, 6); edits > 0; edits--)
            {
                var at = random.Next(text.Length);
                if (random.Next(3) == 0)
                    text.Remove(at, Math.Min(random.Next(1, 30), text.Length - at));
                else
                    text.Insert(at, Alphabet[random.Next(Alphabet.Length)]);
            }

            var errors = new ErrorList();
            var notes = new ErrorList();
            if (TritonConfig.ReadText(text.ToString(), "f", "k", errors) is { } message)
                new TritonMapping("k", Repository.RepositoryFolder.Runtimes, errors, notes).Map(message);
            Assert.All(errors.ToArray(), e => Assert.True(e.Line > 0 && e.Problem.Length > 0 && e.Remedy.Length > 0,
                $"seed {seed} round {round}: {e}"));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void What_is_written_is_read_back_alike(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < 500; round++)
        {
            var message = Random(random, 0);
            var errors = new ErrorList();
            var again = ProtoText.Read(ProtoWriter.Text(message), "f", "k", errors);
            Assert.Equal(Show(message), Show(again!));
        }
    }

    private static ProtoMessage Random(Random random, int depth) => new(default,
        [.. Enumerable.Range(0, random.Next(4)).Select(i => new ProtoField(default, $"f{i}", random.Next(4) switch
        {
            0 when depth < 4 => Random(random, depth + 1),
            1 => new ProtoList(default, [.. Enumerable.Range(0, random.Next(3)).Select(_ => Scalar(random))]),
            2 when depth < 4 => new ProtoList(default, [.. Enumerable.Range(0, random.Next(3)).Select(_ =>
                Random(random, depth + 1))]),
            _ => Scalar(random),
        }))]);

    private static ProtoScalar Scalar(Random random) => random.Next(3) switch
    {
        0 => new(default, ProtoForm.Number, random.Next(-1000,
            1000).ToString(System.Globalization.CultureInfo.InvariantCulture)),
        1 => new(default, ProtoForm.Word, "WORD"),
        _ => new(default, ProtoForm.Text, string.Concat(Enumerable.Range(0, random.Next(6)).Select(_ =>
            "\"'\\\n\t\u0001\u007fa7\u00e4\u6f22"[random.Next(11)]))),
    };

    /// <summary>The fields of the outermost message stand without braces.</summary>
    private static string Show(ProtoMessage message) => Fields(message);

    private static string Inner(ProtoValue value) => value switch
    {
        ProtoMessage message => $"{{{Fields(message)}}}",
        ProtoList list => $"[{string.Join(',', list.Items.Select(Inner))}]",
        ProtoScalar scalar => $"{scalar.Form} {scalar.Text}",
        _ => "",
    };

    private static string Fields(ProtoMessage message) =>
        string.Join(';', message.Fields.Select(f => $"{f.Name}={Inner(f.Value)}"));
}
