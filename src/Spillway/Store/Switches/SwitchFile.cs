using System.Text.Json;
using System.Text.Json.Serialization;

namespace Spillway.Store.Switches;

/// <summary>One kill switch that is off, as it is kept.</summary>
/// <param name="What">everything, model, route or tenant.</param>
/// <param name="Name">Which one; empty for everything.</param>
/// <param name="Since">Since when.</param>
/// <param name="Why">What its operator said.</param>
public sealed record SwitchRow(string What, string Name, DateTimeOffset Since, string Why);

/// <summary>
/// The kill switches that are off, in a small file that people can read: written anew and put in place of the old one
/// in one step, so that a crash leaves the one or the other. Keeps no state.
/// </summary>
public static class SwitchFile
{
    /// <summary>The file in the state folder.</summary>
    public const string FileName = "switches.json";

    /// <summary>
    /// The file whose presence in the state folder switches everything off; with the word "abort" in it, also what is
    /// in flight.
    /// </summary>
    public const string OffName = "off";

    private const int BytesMax = 1024 * 1024;

    /// <summary>What is off; nothing when there is no file. A fault for a file that cannot be read.</summary>
    public static Outcome<SwitchRow[]> Read(string file)
    {
        try
        {
            if (!File.Exists(file))
                return Array.Empty<SwitchRow>();
            if (new FileInfo(file).Length > BytesMax)
                return Damaged(file, $"it is larger than {BytesMax} bytes");
            var rows = JsonSerializer.Deserialize(File.ReadAllBytes(file), SwitchJson.Default.SwitchRowArray);
            return rows is null || rows.Any(r => r is null || r.What is null || r.Name is null)
                ? Damaged(file, "an entry is incomplete")
                : rows;
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException or JsonException)
        {
            return Damaged(file, failed.Message);
        }
    }

    /// <summary>Keeps what is off; null when it is on the disk, else why not.</summary>
    public static Fault? Write(string file, IReadOnlyList<SwitchRow> rows)
    {
        var beside = file + ".new";
        try
        {
            using (var stream = OwnerOnly.Open(beside, FileMode.Create))
            {
                JsonSerializer.Serialize(stream, [.. rows], SwitchJson.Default.SwitchRowArray);
                stream.Flush(flushToDisk: true);
            }

            File.Move(beside, file, overwrite: true);
            return null;
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            return new(FaultKind.StoreFailed, $"{file} cannot be written: {failed.Message.TrimEnd('.')}. The switch is "
                + "flipped and would not survive a restart. Make room or rights, then flip it again.");
        }
    }

    /// <summary>
    /// Whether the file is there that switches off, and whether it says to abort. Null when nobody can tell, because
    /// the folder cannot be looked into: then nothing is to change. Never throws.
    /// </summary>
    public static bool? IsOff(string file, out bool aborts)
    {
        aborts = false;
        try
        {
            // File.Exists says no of what cannot be looked at, too.
            if (!File.Exists(file))
                return IsKnown(file) ? false : null;
            using var stream = new FileStream(
                file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            Span<byte> begin = stackalloc byte[5];
            aborts = stream.ReadAtLeast(begin, begin.Length, throwOnEndOfStream: false) == begin.Length
                && begin.SequenceEqual("abort"u8);
        }
        catch (Exception unread) when (unread is IOException or UnauthorizedAccessException)
        {
            // It is there, and that is what counts.
        }

        return true;
    }

    /// <summary>Whether the system says for certain that it is there or not.</summary>
    private static bool IsKnown(string file)
    {
        try
        {
            _ = File.GetAttributes(file);
            return true;
        }
        catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
        {
            return true;
        }
        catch (Exception unknown) when (unknown is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static Fault Damaged(string file, string why) => new(
        FaultKind.StoreFailed,
        $"The kill switches in {file} cannot be read ({why.TrimEnd('.')}). The server does not start, because it "
        + "cannot know what is to stay off. Mend the file, or delete it to start with everything on.");
}

/// <summary>JSON of the file.</summary>
[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(SwitchRow[]))]
internal sealed partial class SwitchJson : JsonSerializerContext;
