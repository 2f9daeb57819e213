using System.Buffers;
using System.Text.Json;
using Spillway.Engine.Gateway;

namespace Spillway.Protocols.OpenAi.Responses;

/// <summary>Turns a chat's answer into that of the Responses API on its way to the caller.</summary>
/// <param name="inner">The caller's connection.</param>
/// <param name="draft">The response.</param>
internal sealed class ResponsesSink(IOpenAiSink inner, ResponseDraft draft) : IOpenAiSink
{
    private readonly ArrayBufferWriter<byte> _events = new(1024);

    /// <inheritdoc/>
    public bool HasBegun => inner.HasBegun;

    /// <inheritdoc/>
    public long Sent => inner.Sent;

    /// <inheritdoc/>
    public void BeginStream()
    {
        inner.BeginStream();
        draft.Begin(_events);
    }

    /// <summary>One chunk, or several; each call has whole events.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        while (EventText.FindEnd(bytes, 0) is >= 0 and var end)
        {
            var text = bytes[..end];
            bytes = bytes[end..];
            var (at, length) = EventText.Data(text, out var lines);
            if (lines == 0)
            {
                // Comments tell what rules did and what it costs.
                if (text.StartsWith(":"u8))
                    _events.Write(text);
                continue;
            }

            var data = (lines == 1 ? text.Slice(at, length) : EventText.Join(text)).Trim(" \t\r\n"u8);
            if (data.SequenceEqual(EventText.Done))
            {
                draft.End(_events);
                continue;
            }

            var reader = new Utf8JsonReader(data, new JsonReaderOptions { MaxDepth = AnswerScan.DepthMax });
            draft.Take(JsonElement.ParseValue(ref reader), _events);
        }
    }

    /// <inheritdoc/>
    public ValueTask<bool> FlushAsync()
    {
        inner.Write(_events.WrittenSpan);
        _events.ResetWrittenCount();
        return inner.FlushAsync();
    }

    /// <inheritdoc/>
    public ValueTask<bool> SendAsync(ReadOnlyMemory<byte> body) => inner.SendAsync(draft.Whole(body));

    /// <inheritdoc/>
    public void Fail(byte[] error) => draft.Fail(error, _events);
}
