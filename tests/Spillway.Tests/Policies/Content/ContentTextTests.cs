using System.Text;
using System.Text.RegularExpressions;
using Spillway.Policies.Content;

namespace Spillway.Tests.Policies.Content;

/// <summary>What rules give of a text does not depend on how it came, and nothing of a match ever gets out.</summary>
public sealed class ContentTextTests
{
    private static readonly ContentRuleOptions[] s_rules =
    [
        new() { Name = "mail", Do = ContentAction.Mask, Pii = [PiiKind.Email] },
        new() { Name = "money", Do = ContentAction.Mask, Pii = [PiiKind.Card, PiiKind.Iban, PiiKind.Ssn] },
        new() { Name = "reach", Do = ContentAction.Mask, Pii = [PiiKind.Phone, PiiKind.Ip] },
        new() { Name = "words", Do = ContentAction.Mask, Words = ["secret", "Project Blue", "秘密", "😀 ok"] },
        new() { Name = "token", Do = ContentAction.Mask, Pattern = @"\bsk-[a-z0-9]{8,40}\b", MatchCharsMax = 64 },
        new() { Name = "seen", Do = ContentAction.Note, Pattern = "e+", MatchCharsMax = 8 },
    ];

    private static readonly string[] s_parts =
    [
        "bob.smith@mail.example.com", "@", "a@b", "4111 1111 1111 1111", "4111111111111112",
        "DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432", "+49 30 1234567", "(555) 123-4567", "192.0.2.17",
        "2001:db8::8a2e:370:7334",
        "078-05-1120", "secret", "Secret", "secrets", "project blue", "秘密", "😀", "😀 ok", "\ud83d", "\ude00",
        "sk-abcdefgh12345678", "sk-", " ", ".", ",", "-", "\n", "12:30:45", "1.2.3", "the", "see", "9", "é",
    ];

    private static (string Text, Dictionary<string, int> Found, int HeldMost) Run(
        IReadOnlyList<ContentRuleOptions> rules, string text, Func<int> next)
    {
        var (all, found, into, held) = (ContentRules.Of(rules)!, new Dictionary<string, int>(), new StringBuilder(), 0);
        var judge = new ContentText(all, r => found[r.Name] = found.GetValueOrDefault(r.Name) + 1);
        for (var at = 0; at < text.Length;)
        {
            var take = Math.Min(next(), text.Length - at);
            judge.Take(text.AsSpan(at, take), isEnd: false, into);
            held = Math.Max(held, judge.Held);
            Assert.True(judge.Held <= all.HoldCharsMax, $"{judge.Held} of {all.HoldCharsMax} at {at}");
            at += take;
        }

        judge.Take("", isEnd: true, into);
        Assert.Equal(0, judge.Held);
        return (into.ToString(), found, held);
    }

    private static string Random(Random random, int parts)
    {
        var text = new StringBuilder();
        for (var i = 0; i < parts; i++)
            text.Append(s_parts[random.Next(s_parts.Length)]).Append(random.Next(3) == 0 ? "" : " ");
        return text.ToString();
    }

    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, 40)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void However_a_text_is_cut_the_same_is_given_and_found_seed(int seed)
    {
        var random = new Random(seed);
        var text = Random(random, random.Next(1, 60));

        var whole = Run(s_rules, text, () => text.Length);
        var single = Run(s_rules, text, () => 1);
        var cut = Run(s_rules, text, () => random.Next(1, 20));

        Assert.Equal(whole.Text, single.Text);
        Assert.Equal(whole.Text, cut.Text);
        Assert.Equal(whole.Found, single.Found);
        Assert.Equal(whole.Found, cut.Found);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_pattern_masks_what_the_platforms_own_replacement_does_seed(int seed)
    {
        var random = new Random(seed);
        var text = string.Concat(Enumerable.Range(0, 400).Select(_ => "abc \n"[random.Next(5)]));
        var pattern = new[] { "ab+c", @"\ba\w{1,6}\b", "(?:ab|cb){2,4}", "c$", "^a", "b {2,3}", "a|ab" }[seed % 7];

        var (given, _, _) = Run(
            [new() { Name = "p", Do = ContentAction.Mask, Pattern = pattern, MatchCharsMax = 40 }], text,
            () => random.Next(1, 9));

        Assert.Equal(Regex.Replace(text, pattern, "[p]", RegexOptions.CultureInvariant), given);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Nothing_of_a_refused_match_is_ever_given_seed(int seed)
    {
        var random = new Random(seed);
        const string Match = "4111 1111 1111 1111";
        var before = new string('x', random.Next(0, 30)) + " ";
        var judge = new ContentText(
            ContentRules.Of([new() { Name = "card", Pii = [PiiKind.Card] }])!, _ => { });
        var (into, text) = (new StringBuilder(), before + Match + " and more");

        for (var at = 0; at < text.Length;)
        {
            var take = Math.Min(random.Next(1, 4), text.Length - at);
            judge.Take(text.AsSpan(at, take), isEnd: false, into);
            at += take;
        }

        judge.Take("", isEnd: true, into);
        Assert.Equal("card", judge.Refused?.Name);
        Assert.StartsWith(into.ToString(), before, StringComparison.Ordinal);
    }

    [Fact]
    public void Matches_that_overlap_are_masked_together_under_the_first_ones_name()
    {
        var (text, found, _) = Run(
        [
            new() { Name = "a", Do = ContentAction.Mask, Pattern = "one two", MatchCharsMax = 16 },
            new() { Name = "b", Do = ContentAction.Mask, Words = ["two three"] },
        ], "zero one two three four", () => 1);

        Assert.Equal("zero [a] four", text);
        Assert.Equal(new Dictionary<string, int> { ["a"] = 1, ["b"] = 1 }, found);
    }

    [Fact]
    public void A_mask_never_leaves_half_a_character()
    {
        var (text, _, _) = Run(
            [new() { Name = "p", Do = ContentAction.Mask, Pattern = "x\ud83d", MatchCharsMax = 4 }],
            "ax\ud83d\ude00b", () => 1);

        Assert.Equal("a[p]b", text);
    }

    [Fact]
    public void A_word_is_given_as_soon_as_it_cannot_become_anything()
    {
        var judge = new ContentText(
            ContentRules.Of([new() { Name = "mail", Do = ContentAction.Mask, Pii = [PiiKind.Email] }])!, _ => { });
        var into = new StringBuilder();

        judge.Take("Hello wor", isEnd: false, into);
        Assert.Equal("Hello ", into.ToString());
        judge.Take("ld!", isEnd: false, into);
        Assert.Equal("Hello world!", into.ToString());
    }

    [Fact]
    public void A_match_longer_than_declared_is_masked_in_pieces_and_none_of_it_is_given()
    {
        var (text, _, _) = Run(
            [new() { Name = "d", Do = ContentAction.Mask, Pattern = @"\d+", MatchCharsMax = 16 }],
            $"a{new string('7', 500)}b", () => 3);

        Assert.DoesNotContain("7", text, StringComparison.Ordinal);
        Assert.Matches(@"^a(\[d\])+b$", text);
    }
}
