using System.Text;
using System.Text.Json;

namespace Spillway.Transforms.Tokens;

/// <summary>Reads a model's vocabulary from the files in which they are published.</summary>
internal static class TokenizerFile
{
    /// <summary>The largest file that is read whole; the largest in use have 35 MB. Of a GGUF file only the head is
    /// read.</summary>
    public const int BytesMax = 128 * 1024 * 1024;

    /// <summary>What helps against every way to be wrong.</summary>
    public const string Remedy = "Name a whole .tiktoken, tokenizer.json or .gguf file of the model's vocabulary, or "
        + "leave tokenizer out: prompts are then reserved by their bytes.";

    /// <summary>Reads a file. Null, with what is wrong with it, when it cannot be used.</summary>
    /// <param name="path">Absolute.</param>
    /// <param name="pattern">For a list of byte sequences, which does not say.</param>
    public static (Tokenizer? Tokenizer, string Problem) Load(string path, TokenPattern pattern)
    {
        try
        {
            using var file = new FileStream(
                path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 64 * 1024);
            return (Read(file, path, pattern), "");
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return (null, $"There is no file {path}.");
        }
        catch (Exception error) when (error is InvalidDataException)
        {
            return (null, $"The file is no vocabulary that can be used: {error.Message}.");
        }
        catch (EndOfStreamException)
        {
            return (null, "The file is no vocabulary that can be used: it ends in the middle of one.");
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException
            or DecoderFallbackException or KeyNotFoundException)
        {
            return (null, $"The file is no vocabulary that can be used: it is not formed as one ({error.Message})");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException
            or NotSupportedException)
        {
            return (null, $"The file cannot be read: {error.Message}");
        }
    }

    private static Tokenizer Read(FileStream file, string path, TokenPattern pattern)
    {
        Span<byte> head = stackalloc byte[4];
        var isGguf = file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) == head.Length
            && head.SequenceEqual("GGUF"u8);
        if (isGguf)
            return GgufTokenizer.Read(file);
        if (file.Length > BytesMax)
            throw new InvalidDataException($"it has {file.Length:N0} bytes, and at most {BytesMax:N0} are read");
        file.Position = 0;
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        var text = bytes.AsSpan().TrimStart(" \t\r\n"u8);
        if (text.StartsWith("{"u8))
            return HuggingFaceTokenizer.Read(bytes);
        var words = TokenPatterns.Of(pattern, path) ?? throw new InvalidDataException(
            "it is a list of byte sequences, which does not say how a text is cut into words; say so in "
            + "tokenizerPattern (cl100k, o200k or gpt2)");
        return TiktokenTokenizer.Read(bytes, words);
    }
}
