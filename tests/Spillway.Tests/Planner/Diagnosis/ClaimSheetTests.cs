using Spillway.Planner.Diagnosis;
using Spillway.Planner.Language;
using Spillway.Tests.Runtimes.Onnx;

namespace Spillway.Tests.Planner.Diagnosis;

/// <summary>The shipped sheet of claims: each inconsistency that is known in it is found, and says why.</summary>
public sealed class ClaimSheetTests
{
    private static readonly DiagnosisReport s_audit = ClaimSheet.Read(
        File.ReadAllText(Repository.At("samples", "plans", "claims.yaml")), "claims.yaml").Value.Audit();

    [Theory]
    // Load and capacity are the same figure.
    [InlineData("today: 200 a second are asked of 2 servers that do 200 together: 100 % busy has no steady state")]
    [InlineData("today: the parts add up to 430 ms, and 400 ms is said: 30 ms are too many")]
    [InlineData("any request: the parts add up to 171 to 1905, and 180 to 1900 is said")]
    [InlineData("a new server: the parts add up to 10000 to 43000, and 15000 to 30000 is said")]
    [InlineData("both imply 57.08 for an hour of a server, though one does 10 a second and the other 100")]
    [InlineData("it is cheaper even where deployment B (cloud) is used fully (0.1585")]
    [InlineData("deployment C (functions): weights of 14 GB do not fit into a function of 10.24 GB")]
    [InlineData("10000 a second of 500 ms are 5000 at once (Little's law), and 1000 are allowed")]
    [InlineData("1 a thousand at 200 a second are 525,600 a month, not cheaper than 10,000")]
    [InlineData("It is cheaper below 10 million a month, 3.8 a second")]
    [InlineData("option C (edge): 100 to 150 ms is said, and what is neither way nor queue in today is 170 ms")]
    [InlineData("three regions: 120 to 180 ms is said, and what is neither way nor queue in today is 170 ms")]
    [InlineData("three regions: 6 servers of 5000 are 30000 a month, and 25000 is said")]
    [InlineData("it needs 46 % of them. That would also give 1.84 times the throughput")]
    [InlineData("after a month and deployment B (cloud): 0.0059 and 0.5000 for a thousand are 84 times apart")]
    [InlineData("10 more servers for 10 times the load at 80 % busy suffice for at most 1 existing")]
    [InlineData("10,850 km of fibre take 54.3 ms one way and 108.5 ms there and back at least, not 80")]
    [InlineData("H100 on spot: 0 % to 81 % off in these prices, and 60 % at least is said")]
    [InlineData("L40S on spot: 43 % to 73 % off")]
    public void Contradiction_is_found(string text) => Has(DiagnosisKind.Contradiction, text);

    [Theory]
    [InlineData("1e+10 a year are 317 a second, 32 % of its 1000")]
    [InlineData("at full use a thousand would cost 1.5855")]
    [InlineData("0.1 a thousand buy 5.99 GB-s for each")]
    [InlineData("today: 5000 a month are 6.85 an hour, the price of one H100")]
    [InlineData("today: prefill of 60 ms one after another allows 16.7 a second on a device, not 100")]
    [InlineData("24 tokens on H100 (4.2 ms each)")]
    [InlineData("4 tokens on A10G (23.3 ms each)")]
    [InlineData("are 160 % busy for 15 s: the last of them waits 4.5 s. The queue needs 22.5 s more to drain")]
    [InlineData("are 160 % busy for 30 s: the last of them waits 9.0 s. The queue needs 45 s more to drain")]
    public void What_follows_is_said(string text) => Has(DiagnosisKind.Consequence, text);

    [Theory]
    [InlineData("A100 on spot")]
    [InlineData("optimised: the parts add up")]
    public void What_is_right_is_not_found(string begins) => Assert.DoesNotContain(
        s_audit.Of(DiagnosisKind.Contradiction), line => line.Text.StartsWith(begins, StringComparison.Ordinal));

    [Fact]
    public void Mistakes_in_a_sheet_are_listed_with_their_lines()
    {
        var fault = ClaimSheet.Read("""
            systems:
              - { name: a, latencyMs: -5, lod: 3 }
              - { name: b, from: c }
            """, "mine.yaml").Fault!;
        Assert.Contains("mine.yaml:2", fault.Message, StringComparison.Ordinal);
        Assert.Contains("lod", fault.Message, StringComparison.Ordinal);
        Assert.Contains("latencyMs", fault.Message, StringComparison.Ordinal);
        Assert.Contains("No system has this name", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Shipped_hardware_is_read_and_knows_its_names()
    {
        var file = Repository.At("samples", "plans", "hardware.yaml");
        var catalogue = LanguageCatalogue.Read(File.ReadAllText(file), "hardware.yaml").Value;
        Assert.Equal(989, catalogue.Accelerator("h100").Value.Tflops16);
        Assert.All(catalogue.Accelerators, one => Assert.NotEmpty(one.Source));
        Assert.Equal(8.03e9, catalogue.Model("Llama-3.1-8B").Value.Parameters, 0.01e9);
        Assert.Contains("Did you mean H200", catalogue.Accelerator("H20").Fault!.Message, StringComparison.Ordinal);
    }

    private static void Has(DiagnosisKind kind, string text)
    {
        if (!s_audit.Of(kind).Any(line => line.Text.Contains(text, StringComparison.Ordinal)))
            Assert.Fail($"No {kind} has \"{text}\":\n"
                + string.Join('\n', s_audit.Lines.Select(line => $"{line.Kind}: {line.Text}")));
    }
}
