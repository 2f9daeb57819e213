using System.Buffers.Binary;
using Spillway.Policies.Caching;

namespace Spillway.Tests.Policies.Caching;

/// <summary>A policy with questions that are one number each, and answers that tell theirs.</summary>
internal sealed class Asking(CacheOptions options, long? bytesMax = null, KeyHash? hash = null)
{
    public static readonly CacheSubject First = new("tiny", "sha256:1", new("tiny", "1"));
    public static readonly CacheSubject Second = new("tiny", "sha256:2", new("tiny", "1"));

    private readonly KeyHash _hash = hash ?? new(new byte[KeyHash.KeyBytes].Select((_, i) => (byte)(i * 7)).ToArray());

    public CachePolicy Policy { get; } = new(options, bytesMax ?? options.BytesMax);

    public static Instant Ms(double ms) => new Instant(0) + TimeSpan.FromMilliseconds(ms);

    public CacheDecision LookUp(int question, double atMs = 0, CacheSubject? subject = null, bool refreshes = false,
        string tenant = "a", int padding = 0)
    {
        var request = Request(question, padding);
        var key = Key(request, subject ?? First, tenant, new byte[2048], _hash);
        return Policy.LookUp(key, default, refreshes, Ms(atMs));
    }

    public CacheDecision AfterError(int question, double atMs)
    {
        var key = Key(Request(question), First, "a", new byte[2048], _hash);
        return Policy.LookUpAfterError(key, default, Ms(atMs));
    }

    /// <summary>Joins, as its owner would.</summary>
    public CacheWaiter Join(int question, double atMs = 0)
    {
        var decision = LookUp(question, atMs);
        Assert.Equal(CacheStep.Join, decision.Step);
        var waiter = new CacheWaiter();
        CachePolicy.Add(decision.Flight!, waiter);
        return waiter;
    }

    /// <summary>Those that wait are told.</summary>
    public CacheWaiter[] Store(CacheDecision decision, int answer, double atMs = 0, int padding = 0) =>
        Listed(Policy.Store(decision.Lead!.Value, Answer(answer, padding), Ms(atMs)));

    /// <summary>Asks and stores, when nobody has.</summary>
    public void Remember(int question, double atMs = 0, CacheSubject? subject = null, int padding = 0) =>
        Store(LookUp(question, atMs, subject), question, atMs, padding);

    public static InferenceRequest Request(int question, int padding = 0)
    {
        var request = new InferenceRequest();
        ref var input = ref request.Inputs.Add();
        var data = new byte[sizeof(int) + padding];
        BinaryPrimitives.WriteInt32LittleEndian(data, question);
        (input.Type, input.Shape, input.Data) = (DataType.UInt8, new([data.Length]), data);
        return request;
    }

    public static CachedAnswer Answer(int number, int padding = 0)
    {
        var outputs = new TensorSet();
        ref var output = ref outputs.Add();
        var data = new byte[sizeof(int) + padding];
        BinaryPrimitives.WriteInt32LittleEndian(data, number);
        (output.Type, output.Shape, output.Data) = (DataType.UInt8, new([data.Length]), data);
        return CachedAnswer.Copy(outputs);
    }

    public static int NumberIn(CachedAnswer answer)
    {
        var outputs = new TensorSet();
        answer.WriteTo(outputs);
        return BinaryPrimitives.ReadInt32LittleEndian(outputs[0].Data.Span);
    }

    public static CacheKey Key(
        InferenceRequest request, CacheSubject subject, string tenant, Span<byte> head, KeyHash hash,
        byte[]? parameters = null)
    {
        Assert.True(CacheKey.HeadBytes(subject, tenant, request, parameters) <= head.Length);
        return CacheKey.Of(subject, tenant, request, parameters, head, hash);
    }

    public static CacheWaiter[] Listed(CacheWaiter? waiters)
    {
        List<CacheWaiter> list = [];
        for (; waiters is not null; waiters = waiters.Next)
            list.Add(waiters);
        return [.. list];
    }
}
