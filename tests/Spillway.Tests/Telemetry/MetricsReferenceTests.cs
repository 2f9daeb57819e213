using Spillway.Telemetry;

namespace Spillway.Tests.Telemetry;

public class MetricsReferenceTests
{
    [Fact]
    public void The_reference_page_is_what_the_instruments_say() =>
        Golden.Check("docs/reference/metrics.md", MetricsReference.Write());

    [Fact]
    public void The_table_holds_every_instrument_once_and_each_says_what_it_must()
    {
        var fields = typeof(Instruments).GetFields().Concat(typeof(DrillInstruments).GetFields())
            .Select(field => ((InstrumentSpec)field.GetValue(null)!).Name);
        var names = Instruments.All.Select(spec => spec.Name).ToList();
        Assert.Equal(fields.Order(), names.Order());
        Assert.Equal(names.Distinct(), names);
        Assert.All(Instruments.All, spec =>
        {
            Assert.Matches("^((spillway|process|dotnet|nv_inference|gen_ai)_|vllm:)[a-z0-9_]+$", spec.Name);
            Assert.EndsWith(".", spec.Help);
            Assert.DoesNotContain('|', spec.Help);
            // Triton's names have no such suffix.
            var total = spec.Name.EndsWith("_total", StringComparison.Ordinal);
            if (!spec.Name.StartsWith("nv_", StringComparison.Ordinal))
                Assert.Equal(spec.Kind == InstrumentKind.Counter, total);
            if (spec.Unit is "seconds" or "bytes")
                Assert.Contains("_" + spec.Unit, spec.Name, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void Every_fault_has_a_label_of_its_own_that_reads_back()
    {
        var labels = FaultLabels.Kinds.Select(FaultLabels.Of).ToList();
        Assert.Equal(labels.Distinct(), labels);
        Assert.DoesNotContain(FaultLabels.Ok, labels);
        Assert.All(FaultLabels.Kinds, kind =>
        {
            Assert.Equal(kind.ToString(), FaultLabels.Of(kind).Replace("_", "", StringComparison.Ordinal), ignoreCase: true);
            Assert.True(FaultLabels.TryParse(FaultLabels.Of(kind), out var read));
            Assert.Equal(kind, read);
        });
        Assert.True(FaultLabels.TryParse("ok", out var none));
        Assert.Null(none);
        Assert.False(FaultLabels.TryParse("okay", out _));
    }
}
