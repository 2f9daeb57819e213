namespace Spillway.Policies.Rollout;

/// <summary>
/// Whether the challenger fails more often than the champion, looked at after every block of
/// <see cref="BlockRequests"/> requests of both. Within a block of a requests of the challenger, b of the champion and
/// k failures together, the number that are the challenger's has, when both fail alike, the hypergeometric
/// distribution, whatever the rate of failures is and however it changes from block to block; when the challenger's
/// odds are ψ times the champion's, Fisher's noncentral one ("The Logic of Inductive Inference", 1935). Their ratio
/// <code>ψ^x / Σ_j h(j) ψ^j</code>
/// is multiplied over the blocks for several ψ above 1: no approximation, no estimated variance, no assumption about
/// the shares. Pure, one owner.
/// </summary>
internal sealed class OddsTest
{
    /// <summary>Enough for failures of both sides to meet in one, and little waits for its end.</summary>
    public const int BlockRequests = 100;

    private static readonly double[] s_odds = [1.5, 2, 3, 5, 10, 30];

    private readonly Mixture _evidence = new(s_odds.Length);
    private int _champions;
    private int _challengers;
    private int _failures;
    private int _challengersFailures;

    /// <summary>The always-valid p-value.</summary>
    public double PValue => _evidence.PValue;

    /// <summary>One more.</summary>
    public void Add(RolloutSide side, bool succeeded)
    {
        var isChallenger = side is RolloutSide.Challenger;
        _challengers += isChallenger ? 1 : 0;
        _champions += isChallenger ? 0 : 1;
        _failures += succeeded ? 0 : 1;
        _challengersFailures += isChallenger && !succeeded ? 1 : 0;
        if (_challengers + _champions == BlockRequests)
            Close();
    }

    /// <summary>The logarithm of the ratio of one block.</summary>
    internal static double LogRatio(int challengers, int champions, int failures, int challengersFailures, double odds)
    {
        var least = Math.Max(0, failures - champions);
        var most = Math.Min(failures, challengers);
        double weight = 1, power = 1, even = 0, uneven = 0;
        for (var j = least; j <= most; j++)
        {
            even += weight;
            uneven += weight * power;
            power *= odds;
            weight *= (challengers - j) * (double)(failures - j) / ((j + 1.0) * (champions - failures + j + 1));
        }

        return ((challengersFailures - least) * Math.Log(odds)) - Math.Log(uneven / even);
    }

    private void Close()
    {
        if (_failures > 0 && _challengers > 0 && _champions > 0)
        {
            for (var i = 0; i < s_odds.Length; i++)
                _evidence.Add(i, LogRatio(_challengers, _champions, _failures, _challengersFailures, s_odds[i]));
            _evidence.Look();
        }

        (_challengers, _champions, _failures, _challengersFailures) = (0, 0, 0, 0);
    }
}
