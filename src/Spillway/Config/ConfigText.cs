using System.Text;

namespace Spillway.Config;

/// <summary>Reads a configuration file's text: bounded, UTF-8, with or without a byte order mark.</summary>
internal static class ConfigText
{
    /// <summary>Largest file. Real ones hold a few kilobytes.</summary>
    public const int FileBytesMax = 1024 * 1024;

    private static readonly UTF8Encoding s_utf8 = new(encoderShouldEmitUTF8Identifier: false,
        throwOnInvalidBytes: true);

    /// <summary>The text, or null after an error.</summary>
    /// <param name="path">Path to open.</param>
    /// <param name="shown">Name in errors.</param>
    /// <param name="key">Key path of the whole file.</param>
    /// <param name="errors">Takes the error.</param>
    public static string? ReadFile(string path, string shown, string key, ErrorList errors)
    {
        var at = new Mark(shown, 0, 0);
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            var buffer = new MemoryStream();
            var chunk = new byte[16 * 1024];
            for (int n; (n = stream.Read(chunk)) > 0;)
            {
                buffer.Write(chunk, 0, n);
                if (buffer.Length > FileBytesMax)
                {
                    errors.Add(at, key, "", $"The file is larger than {FileBytesMax} bytes.",
                        "Configuration is small: is this the right file?");
                    return null;
                }
            }

            var bytes = buffer.GetBuffer().AsSpan(0, (int)buffer.Length);
            if (bytes.StartsWith(Encoding.UTF8.Preamble))
                bytes = bytes[3..];
            return s_utf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            errors.Add(at, key, "", "The file is not UTF-8 text.", "Save it as UTF-8.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            errors.Add(at, key, "", $"The file cannot be read: {ErrorList.Clean(e.Message, 400)}",
                "Check the path and the rights of this user.");
        }

        return null;
    }
}
