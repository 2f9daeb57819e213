namespace Spillway.Tests.Architecture;

/// <summary>
/// The rooms of the platform and the floors they stand on (ARCHITECTURE.md). A room uses only rooms on lower floors;
/// rooms of one floor are strangers.
/// </summary>
/// <param name="root">The root namespace, which is the hall.</param>
internal sealed class Floors(string root)
{
    private static readonly string[][] s_floors =
    [
        [""],
        ["Policies", "Runtimes", "Transforms", "Store", "Telemetry", "Client"],
        ["Config"],
        ["Flow"],
        ["Engine", "Planner"],
        ["Protocols"],
        ["Hosting"],
    ];

    /// <summary>The first segment behind the root, "" for the hall, null for a stranger.</summary>
    public string? RoomOf(string @namespace)
    {
        if (@namespace == root)
            return "";
        return @namespace.StartsWith(root + ".", StringComparison.Ordinal)
            ? @namespace[(root.Length + 1)..].Split('.')[0]
            : null;
    }

    /// <summary>Why a use between two rooms is wrong, or null.</summary>
    public string? Judge(TypeUse use)
    {
        if (RoomOf(use.User.Namespace) is not { } from || RoomOf(use.Used.Namespace) is not { } to || from == to)
            return null;
        var (user, used) = (FloorOf(from), FloorOf(to));
        if (user < 0 || used < 0)
            return Sentence(use, $"'{(user < 0 ? from : to)}' is no room: give it a floor in {nameof(Floors)}");
        return used < user ? null : Sentence(use, used == user
            ? $"{from} and {to} stand on one floor and are strangers"
            : $"{from} (floor {user}) must not look up to {to} (floor {used})");
    }

    /// <summary>A breach as a line that names both ends.</summary>
    public static string Sentence(TypeUse use, string why) => $"{use.User}, {use.Where}, uses {use.Used}: {why}.";

    private static int FloorOf(string room) => Array.FindIndex(s_floors, floor => floor.Contains(room));
}
