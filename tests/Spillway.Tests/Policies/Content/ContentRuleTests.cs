using Spillway.Policies.Content;

namespace Spillway.Tests.Policies.Content;

public sealed class ContentRuleTests
{
    [Fact]
    public void Rules_that_make_no_sense_are_told_with_their_place_and_a_remedy()
    {
        ContentRuleOptions[] rules =
        [
            new() { Name = "Bad Name", Words = ["x"] },
            new() { Name = "none" },
            new() { Name = "two", Words = ["x"], CharsMax = 5 },
            new() { Name = "length", CharsMax = 5, Do = ContentAction.Mask },
            new() { Name = "look", Pattern = "(?=a)a" },
            new() { Name = "empty", Pattern = "a*" },
            new() { Name = "blank", Words = [" x"] },
            new() { Name = "schema", JsonSchema = "{\"oneOf\":[]}" },
            new() { Name = "schema", JsonSchema = "{\"type\":\"object\"}" },
        ];

        var answers = ContentRules.Problems(rules, isAnswer: true).Select(f => f.Key).ToList();
        var prompts = ContentRules.Problems(rules, isAnswer: false).Select(f => f.Key).ToList();

        Assert.Equal(["[0].name", "[1]", "[2]", "[3].do", "[4].pattern", "[5].pattern", "[6].words", "[7].jsonSchema",
            "[8].name"], answers);
        Assert.Equal(2, prompts.Count(k => k == "[7].jsonSchema"));
        Assert.Contains("[8].jsonSchema", prompts);
    }

    [Fact]
    public void Words_are_found_in_any_case_and_not_within_others()
    {
        var rules = ContentRules.Of(
            [new() { Name = "w", Do = ContentAction.Mask, Words = ["ass", "über", "C++", "秘"] }]);
        var into = new System.Text.StringBuilder();

        new ContentText(rules!, _ => { }).Take("Ass class ÜBER c++11 C++ 大秘密", isEnd: true, into);

        Assert.Equal("[w] class [w] [w]11 [w] 大[w]密", into.ToString());
    }
}
