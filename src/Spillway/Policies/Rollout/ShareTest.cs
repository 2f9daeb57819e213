namespace Spillway.Policies.Rollout;

/// <summary>
/// Whether something happens more often than it may: likelihood ratios of several rates above the allowed one, each as
/// in Wald, "Sequential Tests of Statistical Hypotheses", 1945, mixed. Pure, one owner.
/// </summary>
internal sealed class ShareTest
{
    private static readonly double[] s_above = [0.01, 0.02, 0.05, 0.1, 0.3];

    private readonly Mixture _evidence = new(s_above.Length);
    private readonly (double Yes, double No)[] _logs;

    /// <summary>Nothing happened yet.</summary>
    /// <param name="allowed">The rate that is allowed, 0 to 1.</param>
    public ShareTest(double allowed)
    {
        // Where nothing is allowed the first is the end; a rate of 0 would make its ratio infinite.
        var rate = Math.Clamp(allowed, 1e-6, 1 - 1e-6);
        _logs = [.. s_above.Select(part => LogRatios(rate, rate + ((1 - rate) * part)))];
    }

    /// <summary>The always-valid p-value.</summary>
    public double PValue => _evidence.PValue;

    /// <summary>What an observation adds to the logarithm of the ratio: when it happened, when it did not.</summary>
    public static (double Yes, double No) LogRatios(double rate, double alternative) =>
        (Math.Log(alternative / rate), Math.Log((1 - alternative) / (1 - rate)));

    /// <summary>One more.</summary>
    public void Add(bool happened)
    {
        for (var i = 0; i < _logs.Length; i++)
            _evidence.Add(i, happened ? _logs[i].Yes : _logs[i].No);
        _evidence.Look();
    }
}
