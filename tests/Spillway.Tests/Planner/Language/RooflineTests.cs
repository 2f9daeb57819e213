using Spillway.Planner.Language;

namespace Spillway.Tests.Planner.Language;

public sealed class RooflineTests
{
    private static readonly EngineConstants s_kernels =
        new() { StepMs = 0, PromptStepMs = 0, SequenceUs = 0, ExchangeUs = 0 };

    [Fact]
    public void Parameters_and_cache_follow_from_the_dimensions()
    {
        Assert.Equal(8.03e9, Known.Llama31X8B.Parameters, 0.01e9);
        Assert.Equal(6.74e9, Known.Llama2X7B.Parameters, 0.01e9);
        Assert.Equal(68.98e9, Known.Llama2X70B.Parameters, 0.02e9);
        Assert.Equal(30.5e9, Known.Experts.Parameters, 0.1e9);
        Assert.Equal(524_288, Known.Llama2X7B.KvBytesPerToken(2));
        Assert.Equal(131_072, Known.Llama31X8B.KvBytesPerToken(2));
        Assert.Equal(327_680, Known.Llama2X70B.KvBytesPerToken(2));
    }

    [Fact]
    public void Experts_are_read_as_far_as_tokens_choose_them()
    {
        var shape = Known.Experts;
        Assert.Equal(shape.ActiveParameters, shape.ReadParameters(1), 1);
        Assert.InRange(shape.ReadParameters(64) / shape.ReadParameters(10_000), 0.97, 1);
        Assert.InRange(shape.ReadParameters(8) / shape.ReadParameters(10_000), 0.35, 0.5);
    }

    /// <summary>
    /// The linear layers of Llama-2-7B, measured kernel by kernel (Vidur), with the efficiencies of that table. What is
    /// furthest off is the knee of the H100, by a fifth.
    /// </summary>
    [Theory]
    [InlineData("A100", 1, 8.51)]
    [InlineData("A100", 64, 8.90)]
    [InlineData("A100", 256, 16.08)]
    [InlineData("A100", 512, 30.50)]
    [InlineData("A100", 2048, 122.4)]
    [InlineData("A100", 4096, 239.7)]
    [InlineData("H100", 1, 4.99)]
    [InlineData("H100", 64, 5.18)]
    [InlineData("H100", 256, 8.32)]
    [InlineData("H100", 512, 10.51)]
    [InlineData("H100", 2048, 34.78)]
    [InlineData("H100", 4096, 70.56)]
    public void Linear_layers_take_what_was_measured(string device, int tokens, double ms)
    {
        var (chip, compute) = device == "A100" ? (Known.A100, 0.70) : (Known.H100, 0.75);
        var roofline = new Roofline(Known.Llama2X7B, chip, new(),
            s_kernels with { ComputePart = compute, MemoryPart = 0.765 });
        Assert.Equal(1, roofline.Seconds(new(tokens, 0, 0, 0, 0)) * 1e3 / ms, 0.21);
    }

    /// <summary>
    /// A token of Llama-2-70B alone, on a stack that launched kernel by kernel (Splitwise): more devices than four buy
    /// nothing, because the launches are what takes the time.
    /// </summary>
    [Theory]
    [InlineData("A100", 2, 54.9)]
    [InlineData("A100", 4, 45.0)]
    [InlineData("A100", 8, 44.9)]
    [InlineData("H100", 2, 37.0)]
    [InlineData("H100", 4, 29.7)]
    [InlineData("H100", 8, 29.8)]
    public void Launches_bound_what_tensor_parallelism_buys(string device, int devices, double ms)
    {
        var (chip, launch) = device == "A100" ? (Known.A100, 560) : (Known.H100, 370);
        var roofline = new Roofline(Known.Llama2X70B, chip, new() { TensorParallel = devices },
            new() { LayerUs = launch });
        Assert.Equal(1, roofline.Seconds(StepWork.Decode(1, 512)) * 1e3 / ms, 0.08);
        // Without the launches it would be several times too fast on eight devices.
        var ideal = new Roofline(Known.Llama2X70B, chip, new() { TensorParallel = 8 }, s_kernels);
        Assert.True(ideal.Seconds(StepWork.Decode(1, 512)) * 1e3 < 14);
    }

    [Fact]
    public void Parts_add_up_and_name_what_bounds_a_step()
    {
        var roofline = new Roofline(Known.Llama31X8B, Known.H100, new(), new());
        var decode = roofline.Parts(StepWork.Decode(8, 500));
        var prefill = roofline.Parts(StepWork.Prefill(2048));
        Assert.Equal(("reading weights", "arithmetic"), (decode[0].What, prefill[0].What));
        Assert.Equal(1, decode.Sum(part => part.Part), 9);
        Assert.Equal(1, prefill.Sum(part => part.Part), 9);
        Assert.Equal("reading the cache", roofline.Parts(StepWork.Decode(256, 4000))[0].What);
    }

    [Fact]
    public void Fewer_bits_shorten_reading_and_leave_arithmetic_unless_it_is_quantised_too()
    {
        double Ms(LanguageServing serving, in StepWork work) =>
            new Roofline(Known.Llama2X7B, Known.A100, serving, s_kernels).Seconds(work) * 1e3;
        var (one, prompt) = (StepWork.Decode(1, 0), new StepWork(4096, 1, 1, 0, 0));
        var w8 = new LanguageServing { WeightBits = 8 };
        var w8a8 = w8 with { ComputeBits = 8 };
        Assert.Equal(0.5, Ms(w8, one) / Ms(new(), one), 0.01);
        Assert.Equal(1, Ms(w8, prompt) / Ms(new(), prompt), 0.01);
        Assert.Equal(0.5, Ms(w8a8, prompt) / Ms(new(), prompt), 0.01);
    }

    [Fact]
    public void Cache_is_what_weights_leave()
    {
        var memory = KvMemory.Of(Known.Llama31X8B, Known.RtxPro6000, new()).Value;
        // 95.6 GiB * 0.9 - 15.0 - 3.26 are 67.8 GiB, of 128 KiB a token.
        Assert.Equal(555_000, memory.Tokens, 2000.0);
        var fault = KvMemory.Of(Known.Llama2X70B, Known.A100, new()).Fault!;
        Assert.Contains("does not fit on 1 x A100-80 SXM", fault.Message, StringComparison.Ordinal);
        Assert.Contains("Use more devices", fault.Message, StringComparison.Ordinal);
        // In 16 bits it needs two devices of 80 GB, and there is a little room.
        Assert.InRange(KvMemory.Of(Known.Llama2X70B, Known.A100, new() { TensorParallel = 2 }).Value.Tokens, 1, 40_000);
        Assert.InRange(KvMemory.Of(Known.Llama2X70B, Known.A100, new() { TensorParallel = 4 }).Value.Tokens,
            400_000, 600_000);
    }
}
