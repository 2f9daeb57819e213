using System.Buffers;
using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Spillway.Engine.Gateway;

/// <summary>
/// Embeddings in the form that was asked for. OpenAI's client for Node always asks for base64 and takes whatever comes
/// for that: a list of numbers from a server that does not know the field would reach its user as other numbers.
/// </summary>
internal static class VectorText
{
    /// <summary>Whether a request asks for base64.</summary>
    public static bool IsAsked(ReadOnlySpan<byte> request)
    {
        var reader = new Utf8JsonReader(request, new JsonReaderOptions { MaxDepth = AnswerScan.DepthMax });
        reader.Read();
        var isAsked = false;
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            var isFormat = reader.ValueTextEquals("encoding_format"u8);
            reader.Read();
            if (isFormat)
                isAsked = reader.TokenType is JsonTokenType.String && reader.ValueTextEquals("base64"u8);
            reader.Skip();
        }

        return isAsked;
    }

    /// <summary>
    /// The answer with each list of numbers as base64 of little-endian float32, and everything else as it came; null
    /// when a list has something that is no number of that type.
    /// </summary>
    /// <param name="answer">It was read before, and is well formed.</param>
    public static byte[]? AsBase64(ReadOnlySpan<byte> answer)
    {
        var into = new ArrayBufferWriter<byte>(Math.Max(256, answer.Length / 2));
        var vector = new ArrayBufferWriter<float>(1024);
        var reader = new Utf8JsonReader(answer, new JsonReaderOptions { MaxDepth = AnswerScan.DepthMax });
        var from = 0;
        while (reader.Read())
        {
            if (!IsVector(ref reader))
                continue;
            reader.Read();
            if (reader.TokenType is not JsonTokenType.StartArray)
                continue;
            into.Write(answer[from..(int)reader.TokenStartIndex]);
            vector.ResetWrittenCount();
            while (reader.Read() && reader.TokenType is not JsonTokenType.EndArray)
            {
                if (!Take(ref reader, vector))
                    return null;
            }

            Write(vector.WrittenSpan, into);
            from = (int)reader.BytesConsumed;
        }

        into.Write(answer[from..]);
        return into.WrittenSpan.ToArray();
    }

    /// <summary>The member embedding of an item of the list data: object, list, item.</summary>
    private static bool IsVector(ref Utf8JsonReader reader) => reader.CurrentDepth == 3
        && reader.TokenType is JsonTokenType.PropertyName && reader.ValueTextEquals("embedding"u8);

    private static bool Take(ref Utf8JsonReader reader, ArrayBufferWriter<float> into)
    {
        if (reader.TokenType is not JsonTokenType.Number || !reader.TryGetSingle(out var number)
            || !float.IsFinite(number))
            return false;
        into.GetSpan(1)[0] = number;
        into.Advance(1);
        return true;
    }

    private static void Write(ReadOnlySpan<float> vector, ArrayBufferWriter<byte> into)
    {
        var bytes = MemoryMarshal.AsBytes(vector);
        var room = into.GetSpan(Base64.GetMaxEncodedToUtf8Length(bytes.Length) + 2);
        room[0] = (byte)'"';
        Base64.EncodeToUtf8(bytes, room[1..], out _, out var written);
        room[written + 1] = (byte)'"';
        into.Advance(written + 2);
    }
}
