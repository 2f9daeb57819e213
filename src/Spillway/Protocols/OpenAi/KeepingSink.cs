namespace Spillway.Protocols.OpenAi;

/// <summary>Keeps a copy of a whole answer on its way to the caller, for who asks the same under the same
/// key.</summary>
/// <param name="inner">The caller's connection.</param>
/// <param name="bytesMax">Longer answers are not kept.</param>
internal sealed class KeepingSink(IOpenAiSink inner, int bytesMax) : IOpenAiSink
{
    /// <summary>The answer; null when there was none, or it was too long.</summary>
    public byte[]? Body { get; private set; }

    /// <inheritdoc/>
    public bool HasBegun => inner.HasBegun;

    /// <inheritdoc/>
    public long Sent => inner.Sent;

    /// <inheritdoc/>
    public void BeginStream() => inner.BeginStream();

    /// <inheritdoc/>
    public void Write(ReadOnlySpan<byte> bytes) => inner.Write(bytes);

    /// <inheritdoc/>
    public ValueTask<bool> FlushAsync() => inner.FlushAsync();

    /// <inheritdoc/>
    public ValueTask<bool> SendAsync(ReadOnlyMemory<byte> body)
    {
        // Also when this caller is gone: it is the one that will ask again.
        Body = body.Length <= bytesMax ? body.ToArray() : null;
        return inner.SendAsync(body);
    }

    /// <inheritdoc/>
    public void Fail(Fault fault) => inner.Fail(fault);
}
