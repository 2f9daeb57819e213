using System.Text;
using Spillway.Policies.Chains;

namespace Spillway.Tests.Policies.Chains;

/// <summary>A JSON schema as a check of a step's answer: what it lets pass, and what it does not even take.</summary>
public sealed class AnswerSchemaTests
{
    private const string Invoice = """
        {
          "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "an invoice", "type": "object",
          "required": ["total", "lines"], "additionalProperties": false,
          "properties": {
            "total": { "type": "number", "minimum": 0, "maximum": 1000 },
            "currency": { "enum": ["EUR", "CHF", null] },
            "count": { "type": "integer" },
            "lines": {
              "type": "array", "minItems": 1, "maxItems": 2,
              "items": { "type": ["string", "null"], "minLength": 1, "maxLength": 3, "pattern": "^[a-zé]+$" }
            }
          }
        }
        """;

    [Theory]
    [InlineData("""{"total":1,"lines":["a"]}""", null)]
    [InlineData(""" {"total":1.5,"lines":["abé",null],"currency":null,"count":2.0} """, null)]
    [InlineData("""{"total":1}""", "has no 'lines' at $")]
    [InlineData("""{"total":"1","lines":["a"]}""", "is no number at $.total")]
    [InlineData("""{"total":-1,"lines":["a"]}""", "is out of its range at $.total: 0 to 1000 is asked for")]
    [InlineData("""{"total":1e999,"lines":["a"]}""", "is out of its range at $.total: 0 to 1000 is asked for")]
    [InlineData(
        """{"total":1,"lines":["a"],"currency":"USD"}""", "is none of the values that are allowed at $.currency")]
    [InlineData("""{"total":1,"lines":["a"],"count":2.5}""", "is no integer at $.count")]
    [InlineData("""{"total":1,"lines":[]}""", "has 0 items at $.lines, 1 to 2 are asked for")]
    [InlineData("""{"total":1,"lines":["a","abcd"]}""", "has 4 characters at $.lines[1], 1 to 3 are asked for")]
    [InlineData("""{"total":1,"lines":["A"]}""", "does not match the pattern at $.lines[0]")]
    [InlineData("""{"total":1,"lines":[true]}""", "is no string or null at $.lines[0]")]
    [InlineData("""{"total":1,"lines":["a"],"secret":1}""", "has a property at $ that is not declared")]
    [InlineData("""[1]""", "is no object at $")]
    [InlineData("""{"total":1,"lines":["a"]} x""", "has more behind its JSON")]
    [InlineData("""{"total":1,""", "is no JSON")]
    [InlineData("""{"total":1,"lines":["\ud800"]}""", "is no JSON")]
    [InlineData("", "is no JSON")]
    public void Texts_are_held_to_it_and_reasons_tell_nothing_of_them(string text, string? reason) =>
        Assert.Equal(reason, Of(Invoice).Judge(Encoding.UTF8.GetBytes(text)));

    [Theory]
    [InlineData("""{"oneOf":[]}""", "the schema has the keyword 'oneOf'; known are type, properties")]
    [InlineData("""{"properties":{"a":{"format":"date"}}}""", "/properties/a has the keyword 'format'")]
    [InlineData("""{"type":"float"}""", "/type is 'float'; types are object, array")]
    [InlineData("""{"pattern":"(?=a)"}""", "")]
    [InlineData("""{"minimum":"1"}""", "")]
    [InlineData("""{"items":true}""", "/items is no object")]
    [InlineData("""[]""", "the schema is no object")]
    [InlineData("{", "")]
    public void What_is_beyond_the_subset_is_refused_when_it_is_read(string schema, string says)
    {
        Assert.Null(AnswerSchema.Read(schema, out var problem));
        Assert.NotEqual("", problem);
        Assert.Contains(says, problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Texts_that_are_very_deep_are_no_answers_and_take_no_stack() => Assert.Equal(
        "is no JSON", Of("{}").Judge(Encoding.UTF8.GetBytes(new string('[', 100_000))));

    [Fact]
    public void Check_of_an_output_uses_it_beside_the_pattern()
    {
        var check = new AnswerCheck(new() { JsonSchema = """{"type":"object"}""" });
        Assert.Null(check.Judge(DataType.Bytes, new([1]), Element("{}")));
        Assert.Equal("element 0 is no object at $", check.Judge(DataType.Bytes, new([1]), Element("[]")));
        Assert.Equal(
            "it holds FP32 and no texts to match a schema", check.Judge(DataType.Float32, new([1]), new byte[4]));
    }

    [Fact]
    public void Wrong_schema_of_a_step_is_found_at_the_start_with_its_key()
    {
        var chain = new ChainOptions
        {
            Steps =
            [
                new() { Model = "a", Checks = [new() { JsonSchema = """{"allOf":[]}""" }] }, new() { Model = "b" },
            ],
        };
        var check = new ChainCheck(new HashSet<string> { "a", "b" });
        var found = Assert.Single(check.Check(new Dictionary<string, ChainOptions> { ["r"] = chain }));
        Assert.Equal("routes.r.chain.steps[0].checks[0].jsonSchema", found.Key);
        Assert.Contains("'allOf'", found.Problem, StringComparison.Ordinal);
    }

    private static AnswerSchema Of(string schema) =>
        AnswerSchema.Read(schema, out var problem) ?? throw new ArgumentException(problem);

    private static byte[] Element(string text)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        return [.. BitConverter.GetBytes(utf8.Length), .. utf8];
    }
}
