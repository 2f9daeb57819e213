using Spillway.Config;

namespace Spillway.Tests.Config;

public sealed class SuggestionTests
{
    [Theory]
    [InlineData("queueLenghtMax", "queueLengthMax")]
    [InlineData("queueLength", "queueLengthMax")]
    [InlineData("max_queue_length", "queueLengthMax")]
    [InlineData("RUNERS", "runners")]
    [InlineData("colour", "")]
    [InlineData("", "")]
    public void Nearest_word_is_suggested_and_a_far_one_is_not(string typed, string meant) =>
        Assert.Equal(meant, Suggestion.Nearest(typed, ["queueLengthMax", "batchRowsMax", "runners"]));

    [Fact]
    public void Very_long_words_are_not_compared() =>
        Assert.Equal("", Suggestion.Nearest(new string('a', 100_000), ["runners"]));
}
