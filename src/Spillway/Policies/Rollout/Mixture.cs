namespace Spillway.Policies.Rollout;

/// <summary>
/// Evidence against a null hypothesis as a mean of likelihood ratios of some alternatives, each a product that grows
/// with the observations. Under the null each is a supermartingale that begins with 1, and so is their mean; that it
/// ever exceeds 1 / alpha has a probability of at most alpha (Ville's inequality; Ramdas, Grünwald, Vovk and Shafer,
/// "Game-Theoretic Statistics and Safe Anytime-Valid Inference", Statistical Science 38(4), 2023). Pure, one owner.
/// </summary>
/// <param name="alternatives">How many.</param>
internal sealed class Mixture(int alternatives)
{
    private readonly double[] _logs = new double[alternatives];

    /// <summary>The always-valid p-value.</summary>
    public double PValue { get; private set; } = 1;

    /// <summary>An alternative's ratio is multiplied, in logarithms.</summary>
    public void Add(int alternative, double log) => _logs[alternative] += log;

    /// <summary>After the same was added to each.</summary>
    public void Look()
    {
        var most = _logs[0];
        foreach (var log in _logs)
            most = Math.Max(most, log);
        double sum = 0;
        foreach (var log in _logs)
            sum += Math.Exp(log - most);
        PValue = Math.Min(PValue, Math.Exp(Math.Min(0, -most - Math.Log(sum / _logs.Length))));
    }
}
