using System.Text.Json;
using System.Text.Json.Serialization;

namespace Spillway.Store.Rollout;

/// <summary>
/// The rollouts of a server with their history, in a small file that people can read: written anew and put in place of
/// the old one in one step, so that a crash leaves the one or the other. Keeps no state.
/// </summary>
public static class RolloutFile
{
    /// <summary>The file in the state folder.</summary>
    public const string FileName = "rollouts.json";

    private const int BytesMax = 64 * 1024 * 1024;

    /// <summary>What was kept; nothing when there is no file. A fault for a file that cannot be read.</summary>
    public static Outcome<RolloutRow[]> Read(string file)
    {
        try
        {
            if (!File.Exists(file))
                return Array.Empty<RolloutRow>();
            if (new FileInfo(file).Length > BytesMax)
                return Damaged(file, $"it is larger than {BytesMax} bytes");
            var rows = JsonSerializer.Deserialize(File.ReadAllBytes(file), RolloutJson.Default.RolloutRowArray);
            if (rows is null || !rows.All(IsComplete))
                return Damaged(file, "an entry is incomplete");
            return rows.DistinctBy(r => r.Name).Count() == rows.Length
                ? rows : Damaged(file, "a name is there twice");
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException or JsonException)
        {
            return Damaged(file, failed.Message);
        }
    }

    /// <summary>Keeps rollouts; null when they are on the disk, else why not.</summary>
    public static Fault? Write(string file, IReadOnlyList<RolloutRow> rows)
    {
        var beside = file + ".new";
        try
        {
            using (var stream = new FileStream(beside, FileMode.Create, FileAccess.Write, FileShare.None))
            {
                JsonSerializer.Serialize(stream, [.. rows], RolloutJson.Default.RolloutRowArray);
                stream.Flush(flushToDisk: true);
            }

            File.Move(beside, file, overwrite: true);
            return null;
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            return new(FaultKind.StoreFailed, $"{file} cannot be written: {failed.Message.TrimEnd('.')}. The rollout "
                + "has changed and would not survive a restart. Make room or rights, then change it again.");
        }
    }

    /// <summary>The fault of a file that says what nobody here understands.</summary>
    public static Fault Damaged(string file, string why) => new(
        FaultKind.StoreFailed,
        $"The rollouts in {file} cannot be read ({why.TrimEnd('.')}). The server does not start, because it cannot "
        + "know which version is the champion. Mend the file, or delete it to start with the declared versions.");

    /// <summary>The file's words may be missing whatever the types say.</summary>
    private static bool IsComplete(RolloutRow? row) =>
        row is { Name.Length: > 0, Champion.Length: > 0, Challenger.Length: > 0, Phase: not null, Salt: not null,
            Step: >= 0, History: not null }
        && row.History.All(h => h is { Who: not null, What: not null, Why: not null, Champion: not null,
            Challenger: not null });
}

/// <summary>JSON of the file.</summary>
[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(RolloutRow[]))]
internal sealed partial class RolloutJson : JsonSerializerContext;
