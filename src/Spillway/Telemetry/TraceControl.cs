namespace Spillway.Telemetry;

/// <summary>Which requests the ring of recent requests keeps.</summary>
/// <param name="On">Whether any are kept.</param>
/// <param name="Rate">Every so manyth request is kept; from 1.</param>
/// <param name="Count">So many more are kept, then none; -1 for no limit.</param>
internal sealed record TraceSetting(bool On, long Rate, long Count)
{
    /// <summary>Every request, as explain needs it.</summary>
    public static TraceSetting Everything { get; } = new(On: true, Rate: 1, Count: -1);
}

/// <summary>
/// The trace settings of the server or of one served name, which follows the server's until it gets its own. Changed
/// while requests are recorded; asking costs two reads where everything is kept, and one atomic addition otherwise.
/// Requests that were not answered are kept whatever the rate: they are what somebody will ask about.
/// </summary>
/// <param name="above">The server's, for a served name; null for the server itself.</param>
internal sealed class TraceControl(TraceControl? above = null)
{
    private volatile Sampler? _own = above is null ? new(TraceSetting.Everything) : null;

    /// <summary>What is in force; a count is what is left of it.</summary>
    public TraceSetting Setting => _own?.Now ?? above!.Setting;

    /// <summary>Takes a setting; null gives up a served name's own one, and the server's for the default.</summary>
    public void Set(TraceSetting? setting) =>
        _own = setting is not null ? new(setting) : above is null ? new(TraceSetting.Everything) : null;

    /// <summary>Whether to keep a request that ends now.</summary>
    public bool Keeps(bool answered) => (_own ?? above!._own!).Keeps(answered);

    private sealed class Sampler(TraceSetting setting)
    {
        private long _seen = -1;
        private long _left = setting.Count;

        public TraceSetting Now => setting.Count < 0
            ? setting : setting with { Count = Math.Max(0, Interlocked.Read(ref _left)) };

        public bool Keeps(bool answered)
        {
            if (!setting.On)
                return false;
            if (answered && setting.Rate > 1 && Interlocked.Increment(ref _seen) % setting.Rate != 0)
                return false;
            return setting.Count < 0 || Interlocked.Decrement(ref _left) >= 0;
        }
    }
}
