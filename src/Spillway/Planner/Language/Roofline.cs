namespace Spillway.Planner.Language;

/// <summary>
/// How long a step of an engine takes: the smooth maximum of arithmetic and of reading the weights, then attention, the
/// exchanges between devices, and what the engine adds. Pure and fixed for one model on one replica.
/// </summary>
/// <remarks>
/// S. Williams et al., "Roofline" (2009). Two additions matter: near the knee kernels are slower than the larger of
/// both bounds says, hence the smooth maximum; and an overhead for each step, without which tensor parallelism looks
/// much better than it is.
/// </remarks>
internal sealed class Roofline
{
    private readonly LanguageShape _shape;
    private readonly EngineConstants _constants;
    private readonly double _flops;
    private readonly double _bytesPerSecond;
    private readonly double _weightBytes;
    private readonly double _kvBytes;
    private readonly double _perContext;
    private readonly double _fixed;
    private readonly double _launches;
    private readonly double _exchangePerToken;

    /// <summary>For one model, as it is served, on these devices.</summary>
    public Roofline(LanguageShape shape, Accelerator device, LanguageServing serving, EngineConstants constants)
    {
        (_shape, _constants) = (shape, constants);
        var (tp, pp) = (serving.TensorParallel, serving.PipelineParallel);
        var peak = serving.ComputeBits <= 8 ? device.Tflops8 : device.Tflops16;
        // A token passes all stages one after another: only the devices of one stage work on it at a time.
        _flops = peak * 1e12 * constants.ComputePart * tp;
        _bytesPerSecond = device.MemoryGBps * 1e9 * constants.MemoryPart * tp;
        _weightBytes = serving.WeightBits / 8;
        // With fewer heads of keys than devices, each device keeps one of its own.
        _kvBytes = shape.KvBytesPerToken(serving.KvBits / 8) * Math.Max(1, (double)tp / shape.KvHeads);
        _perContext = _kvBytes / _bytesPerSecond;
        var exchanges = tp > 1 ? 2 * shape.Layers : 0;
        var payload = shape.Hidden * Math.Max(2, serving.ComputeBits / 8);
        var link = device.LinkGBps * 1e9 * constants.LinkPart;
        _exchangePerToken = (exchanges * 2.0 * (tp - 1) / tp * payload / link) + ((pp - 1) * payload / link);
        _fixed = (constants.StepMs / 1e3) + ((exchanges + pp - 1) * constants.ExchangeUs / 1e6);
        _launches = shape.Layers * constants.LayerUs / 1e6;
    }

    /// <summary>Seconds of a step through all stages.</summary>
    public double Seconds(in StepWork work) => Seconds(work, Matrices(work));

    /// <summary>Seconds of a step's matrices, which follow from its tokens alone.</summary>
    public double Matrices(in StepWork work) => SmoothMaximum(Arithmetic(work), Reading(work), _constants.Knee);

    /// <summary>Seconds of a step through all stages.</summary>
    /// <param name="work">What it computes.</param>
    /// <param name="matrices">Its <see cref="Matrices"/>, which a row of like steps need not find out again.</param>
    public double Seconds(in StepWork work, double matrices) => Seconds(Rest(work, matrices), work.ContextTokens);

    /// <summary>What a step takes of the device but for reading the cache: the same for a row of like steps.</summary>
    /// <param name="work">What it computes.</param>
    /// <param name="matrices">Its <see cref="Matrices"/>.</param>
    public double Rest(in StepWork work, double matrices) => matrices + Attention(work) + Exchange(work) + _fixed
        + (_constants.SequenceUs / 1e6 * work.Sequences)
        + (work.AttentionPairs > 0 ? _constants.PromptStepMs / 1e3 : 0);

    /// <summary>Seconds of a step through all stages; called for each of millions of steps.</summary>
    /// <param name="rest">Its <see cref="Rest"/>.</param>
    /// <param name="context">Tokens that it reads from the cache.</param>
    public double Seconds(double rest, double context) => WithLaunches(rest + (context * _perContext));

    /// <summary>What the time of a step goes to, as parts that add up to 1, the largest first.</summary>
    public IReadOnlyList<(string What, double Part)> Parts(in StepWork work)
    {
        var all = Seconds(work);
        var matrices = Matrices(work);
        var (cache, attention, exchange) = (Cache(work), Attention(work), Exchange(work));
        List<(string What, double Part)> parts =
        [
            (Arithmetic(work) > Reading(work) ? "arithmetic" : "reading weights", matrices / all),
            ("reading the cache", cache / all),
            ("attention of prompts", attention / all),
            ("exchanges", exchange / all),
            ("overhead", (all - matrices - cache - attention - exchange) / all),
        ];
        return [.. parts.OrderByDescending(part => part.Part)];
    }

    /// <summary>
    /// Launches that run ahead hide behind the device's work, and seldom perfectly: a smooth maximum with a knee of 4,
    /// with which six figures of two devices and three degrees of tensor parallelism in Splitwise's profiles are met
    /// within 5 %. By two square roots, which take a tenth of the time of powers.
    /// </summary>
    private double WithLaunches(double device)
    {
        var (large, small) = device > _launches ? (device, _launches) : (_launches, device);
        if (small <= 0)
            return large;
        var ratio = small / large;
        var square = ratio * ratio;
        return large * Math.Sqrt(Math.Sqrt(1 + (square * square)));
    }

    private static double SmoothMaximum(double a, double b, double knee)
    {
        var (large, small) = a > b ? (a, b) : (b, a);
        return small <= 0 ? large : large * Math.Pow(1 + Math.Pow(small / large, knee), 1 / knee);
    }

    private double Arithmetic(in StepWork work) =>
        ((2 * _shape.ActiveParameters * work.Tokens) + (2 * _shape.HeadParameters * work.Sampled)) / _flops;

    private double Reading(in StepWork work) =>
        (_shape.ReadParameters(work.Tokens) + _shape.HeadParameters) * _weightBytes / _bytesPerSecond;

    private double Cache(in StepWork work) => work.ContextTokens * _perContext;

    private double Attention(in StepWork work) =>
        4.0 * _shape.Layers * _shape.Heads * _shape.HeadWidth * work.AttentionPairs
            / (_flops * _constants.AttentionPart);

    private double Exchange(in StepWork work) => _exchangePerToken * work.Tokens;
}
