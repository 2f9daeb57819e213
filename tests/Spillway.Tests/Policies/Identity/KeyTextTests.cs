using Spillway.Policies.Identity;

namespace Spillway.Tests.Policies.Identity;

public sealed class KeyTextTests
{
    private const string Visible = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-. /+=";

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 50)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void The_checksum_finds_any_single_changed_character(int seed)
    {
        var random = new Random(seed);
        var text = New(random, out _);
        Assert.True(KeyText.TryParse(text, out _));
        for (var at = 0; at < text.Length; at++)
        {
            var changed = text.ToCharArray();
            do
                changed[at] = Visible[random.Next(Visible.Length)];
            while (changed[at] == text[at]);
            Assert.False(KeyText.TryParse(changed, out _), $"{at}: {new string(changed)}");
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void It_finds_swapped_neighbours_missing_and_added_characters(int seed)
    {
        var random = new Random(seed);
        var text = New(random, out _);
        var at = random.Next(text.Length - 1);
        var swapped = text.ToCharArray();
        (swapped[at], swapped[at + 1]) = (swapped[at + 1], swapped[at]);
        if (swapped[at] != swapped[at + 1])
            Assert.False(KeyText.TryParse(swapped, out _));
        Assert.False(KeyText.TryParse(text.Remove(at, 1), out _));
        Assert.False(KeyText.TryParse(text.Insert(at, "a"), out _));
        Assert.False(KeyText.TryParse(text + "a", out _));
        Assert.False(KeyText.TryParse(text.AsSpan(0, at), out _));
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_key_has_its_parts_and_no_two_are_alike(int seed)
    {
        var random = new Random(seed);
        var text = New(random, out var environment);
        Assert.True(KeyText.TryParse(text, out var parts));
        Assert.Equal(environment, parts.Environment.ToString());
        Assert.True(KeyText.IsId(parts.Id));
        Assert.True(text.Length <= KeyText.LengthMax);
        var id = parts.Id.ToString();
        Assert.NotEqual(text, KeyText.Create(environment, id));
        Assert.NotEqual(id, KeyText.NewId());
    }

    [Theory]
    [InlineData("")]
    [InlineData("sw_")]
    [InlineData("sw_____")]
    [InlineData("sw_live_abcdefghijkl_secret_000000")]
    [InlineData("eyJhbGciOiJub25lIn0.e30.")]
    public void What_is_no_key_is_none(string text) => Assert.False(KeyText.TryParse(text, out _));

    [Theory]
    [InlineData("live", true)]
    [InlineData("a", true)]
    [InlineData("prod2", true)]
    [InlineData("", false)]
    [InlineData("Live", false)]
    [InlineData("a_b", false)]
    [InlineData("abcdefghijklmnopq", false)]
    public void A_label_is_small_letters_and_digits(string text, bool fits) =>
        Assert.Equal(fits, KeyText.IsEnvironment(text));

    private static string New(Random random, out string environment)
    {
        environment = new([.. Enumerable.Range(0, random.Next(1, 17)).Select(_ => (char)('a' + random.Next(26)))]);
        return KeyText.Create(environment, KeyText.NewId());
    }
}
