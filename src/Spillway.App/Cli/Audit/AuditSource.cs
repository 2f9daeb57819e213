using System.Text.Json;
using Spillway.Store.Audit;

namespace Spillway.App.Cli.Audit;

/// <summary>What the commands of the audit log share.</summary>
internal static class AuditSource
{
    private const int ProofBytesMax = 1024 * 1024;

    /// <summary>A log's folder; a sentence where there is none.</summary>
    public static AuditFolder Folder(string path)
    {
        var folder = AuditFolder.At(path);
        return folder.Exists ? folder
            : throw new CommandException($"{folder.Path} holds no audit log: it has no file named id. Name the "
                + "folder audit "
                + "inside the server's state folder.");
    }

    /// <summary>A small file.</summary>
    public static byte[] ReadFile(string file)
    {
        try
        {
            return new FileInfo(file).Length <= ProofBytesMax ? File.ReadAllBytes(file)
                : throw new CommandException($"{file} is too large for a proof.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"{file} cannot be read: {e.Message}");
        }
    }

    /// <summary>One object on one line of the standard output.</summary>
    public static void WriteLine(Action<Utf8JsonWriter> members) => Write(json =>
    {
        json.WriteStartObject();
        members(json);
        json.WriteEndObject();
    });

    /// <summary>One value on one line of the standard output.</summary>
    public static void Write(Action<Utf8JsonWriter> value)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(
            buffer, new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            value(json);
        Console.Out.WriteLine(System.Text.Encoding.UTF8.GetString(buffer.ToArray()));
    }
}
