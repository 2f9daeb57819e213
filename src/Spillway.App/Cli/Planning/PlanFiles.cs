using System.Text;
using Spillway.Config;
using Spillway.Planner.Plans;

namespace Spillway.App.Cli.Planning;

/// <summary>Plans, and the files that they name, on disk.</summary>
internal static class PlanFiles
{
    /// <summary>Largest file that a plan may name: ten million arrivals.</summary>
    private const long BytesMax = 1L << 30;

    /// <summary>More than the list of ten thousand models.</summary>
    private const int ModelsMax = 16 << 20;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    /// <summary>The plan; null after its mistakes were written.</summary>
    public static Plan? Read(string path, TextWriter error)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        if (Open(path) is not { Text: { } text } file)
        {
            error.WriteLine($"The plan {path} cannot be read: {Open(path).Problem}");
            return null;
        }

        var result = PlanReader.Read(Path.GetFileName(path), file.Text,
            name => IsServer(name) ? Ask(name) : Open(Path.Combine(folder, name)));
        error.Write(ConfigErrorText.FormatNotes(result.Notes));
        error.Write(ConfigErrorText.Format(result.Errors));
        return result.Plan;
    }

    /// <summary>Writes a file; false after an error.</summary>
    public static bool Write(string path, string text, TextWriter error)
    {
        try
        {
            File.WriteAllText(path, text);
            return true;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            error.WriteLine($"Cannot write {path}: {failure.Message}");
            return false;
        }
    }

    private static bool IsServer(string name) => name.StartsWith("http://", StringComparison.Ordinal)
        || name.StartsWith("https://", StringComparison.Ordinal);

    /// <summary>The models of a running server, as its Admin protocol lists them.</summary>
    private static PlanFile Ask(string address)
    {
        try
        {
            using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = s_patience };
            ServerClient.Authorize(http, Commands.KeyOf(null));
            var place = new Uri(new Uri(address), "/admin/v1/models");
            using var request = new HttpRequestMessage(HttpMethod.Get, place);
            using var answer = http.Send(request, HttpCompletionOption.ResponseHeadersRead);
            if (!answer.IsSuccessStatusCode)
                return new(null, $"{place} answers {(int)answer.StatusCode}.");
            using var reader = new StreamReader(answer.Content.ReadAsStream());
            var text = new char[ModelsMax];
            var length = reader.ReadBlock(text);
            return length == text.Length ? new(null, $"{place} has more than {ModelsMax} characters.")
                : new(new string(text, 0, length));
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException or TaskCanceledException
            or UriFormatException or CommandException)
        {
            return new(null, failure.Message);
        }
    }

    /// <summary>The text of a file; its problem where it has none.</summary>
    public static PlanFile Open(string path)
    {
        try
        {
            var info = new FileInfo(path);
            if (info.Exists && info.Length > BytesMax)
                return new(null, $"It has {info.Length} bytes; at most {BytesMax}.");
            return new(File.ReadAllText(path, new UTF8Encoding(false, throwOnInvalidBytes: true)));
        }
        catch (Exception failure)
            when (failure is IOException or UnauthorizedAccessException or DecoderFallbackException)
        {
            return new(null, failure is DecoderFallbackException ? "It is not UTF-8 text." : failure.Message);
        }
    }
}
