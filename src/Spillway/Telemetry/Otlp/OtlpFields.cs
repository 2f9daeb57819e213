namespace Spillway.Telemetry.Otlp;

/// <summary>
/// The parts of OTLP that traces and metrics share: resource, scope, attributes. Field numbers are those of
/// opentelemetry-proto 1.x (common/v1, resource/v1), which are stable.
/// </summary>
internal static class OtlpFields
{
    /// <summary>The name of the instrumentation scope.</summary>
    public const string Scope = "Spillway";

    /// <summary>Longer texts of attributes are cut: a message may quote what a caller sent.</summary>
    public const int TextLengthMax = 1024;

    private const int Key = 1;
    private const int Value = 2;
    private const int StringValue = 1;
    private const int BoolValue = 2;
    private const int IntValue = 3;
    private const int DoubleValue = 4;
    private const int ArrayValue = 5;
    private const int ArrayItems = 1;

    /// <summary>A Resource: who sends.</summary>
    public static void Resource(ProtoWriter proto, int field, IReadOnlyList<KeyValuePair<string, string>> attributes)
    {
        var resource = proto.Begin(field);
        foreach (var (key, value) in attributes)
            Attribute(proto, 1, key, value);
        proto.End(resource);
    }

    /// <summary>An InstrumentationScope: what in the sender saw it.</summary>
    public static void ScopeOf(ProtoWriter proto, int field, string version)
    {
        var scope = proto.Begin(field);
        proto.Text(1, Scope);
        proto.Text(2, version);
        proto.End(scope);
    }

    /// <summary>A text.</summary>
    public static void Attribute(ProtoWriter proto, int field, string key, string value)
    {
        var (pair, any) = Open(proto, field, key);
        proto.Text(StringValue, Cut(value));
        Close(proto, pair, any);
    }

    /// <summary>A whole number.</summary>
    public static void Attribute(ProtoWriter proto, int field, string key, long value)
    {
        var (pair, any) = Open(proto, field, key);
        proto.Varint(IntValue, (ulong)value);
        Close(proto, pair, any);
    }

    /// <summary>A number.</summary>
    public static void Attribute(ProtoWriter proto, int field, string key, double value)
    {
        var (pair, any) = Open(proto, field, key);
        proto.Double(DoubleValue, value);
        Close(proto, pair, any);
    }

    /// <summary>A flag.</summary>
    public static void Attribute(ProtoWriter proto, int field, string key, bool value)
    {
        var (pair, any) = Open(proto, field, key);
        proto.Varint(BoolValue, value ? 1u : 0u);
        Close(proto, pair, any);
    }

    /// <summary>Texts in order.</summary>
    public static void Attribute(ProtoWriter proto, int field, string key, IEnumerable<string> values)
    {
        var (pair, any) = Open(proto, field, key);
        var array = proto.Begin(ArrayValue);
        foreach (var value in values)
        {
            var item = proto.Begin(ArrayItems);
            proto.Text(StringValue, Cut(value));
            proto.End(item);
        }

        proto.End(array);
        Close(proto, pair, any);
    }

    /// <summary>Nanoseconds since 1970; earlier times are 0.</summary>
    public static ulong UnixNanos(DateTimeOffset time) =>
        (ulong)Math.Max(0, (time.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) * TimeSpan.NanosecondsPerTick);

    private static ReadOnlySpan<char> Cut(string text) => text.AsSpan(0, Math.Min(text.Length, TextLengthMax));

    private static (int Pair, int Any) Open(ProtoWriter proto, int field, string key)
    {
        var pair = proto.Begin(field);
        proto.Text(Key, key);
        return (pair, proto.Begin(Value));
    }

    private static void Close(ProtoWriter proto, int pair, int any)
    {
        proto.End(any);
        proto.End(pair);
    }
}
