namespace Spillway.Tests.Architecture;

/// <summary>
/// Holds the compiled assemblies to the plan of the house in ARCHITECTURE.md. A breach is mended by asking which room
/// the code belongs to, seldom by a new line here.
/// </summary>
public sealed class LayeringTests
{
    private const string Platform = "Spillway";
    private const string FixtureRoot = "Spillway.Tests.Architecture.Fixture";

    [Fact]
    public void Rooms_of_the_platform_use_only_lower_floors()
    {
        var uses = Uses(Platform);
        var floors = new Floors(Platform);

        Assert.Contains(uses, use => floors.RoomOf(use.User.Namespace) == "Protocols"
            && floors.RoomOf(use.Used.Namespace) == "Engine");
        Empty(uses.Select(floors.Judge));
    }

    [Fact]
    public void Native_runtimes_use_only_the_hall_and_the_contracts_of_runtimes() =>
        Empty(Uses("Spillway.Runtimes").Where(use => use.Used.Assembly == Platform
            && use.Used.Namespace is not ("Spillway" or "Spillway.Runtimes"))
            .Select(use => Floors.Sentence(use, "a native runtime knows the hall and the contracts, nothing else")));

    [Fact]
    public void Only_hosting_composes_a_server_commands_and_the_load_generator_are_clients_of_the_wire()
    {
        var uses = Uses("Spillway.App").Where(use => use.Used.Assembly == Platform).ToList();

        Assert.Contains(uses, use => use.User.Namespace == "Spillway.App.Hosting" && IsEngine(use));
        Empty(uses.Where(use => use.User.Namespace != "Spillway.App.Hosting" && IsEngine(use))
            .Select(use => Floors.Sentence(use, "only Spillway.App.Hosting composes a server")));

        static bool IsEngine(TypeUse use) =>
            use.Used.Namespace.Split('.') is [_, "Engine" or "Flow" or "Protocols" or "Hosting", ..];
    }

    /// <summary>What a room leaves to others: the column "never" of the table of rooms.</summary>
    [Theory]
    [InlineData("", "System.Net", "Microsoft", "System.IO", "System.TimeProvider", "System.Diagnostics.Stopwatch")]
    [InlineData("Policies", "System.Threading", "System.TimeProvider", "Microsoft", "System.IO", "System.Net")]
    [InlineData("Flow", "System.Threading", "System.TimeProvider", "Microsoft", "System.IO", "System.Net")]
    [InlineData("Planner", "System.Threading", "System.TimeProvider", "Microsoft", "System.IO", "System.Net")]
    [InlineData("Transforms", "System.Net", "Microsoft", "System.Threading", "System.TimeProvider")]
    [InlineData("Config", "System.TimeProvider", "Microsoft.AspNetCore", "System.Net.Http")]
    [InlineData("Telemetry", "Microsoft.AspNetCore", "System.TimeProvider", "System.Net")]
    public void Pure_rooms_touch_no_clock_thread_file_or_socket(string room, params string[] never)
    {
        var floors = new Floors(Platform);
        Empty(Uses(Platform).Where(use => floors.RoomOf(use.User.Namespace) == room && !IsAllowed(use)
            && never.Any(name => $"{use.Used}." is var used && used.StartsWith(name + ".", StringComparison.Ordinal)))
            .Select(use => Floors.Sentence(use, $"{(room.Length == 0 ? "the hall" : room)} never does")));
    }

    [Fact]
    public void A_room_that_touches_what_it_must_not_is_found() =>
        Assert.Contains(Uses(Platform), use => IsAllowed(use) && use.Used.ToString() == "System.Threading.Lock");

    [Theory]
    [InlineData("InSignature", "method Look")]
    [InlineData("InField", "field _machine")]
    [InlineData("InBaseType", "base type")]
    [InlineData("InBody", "method Speed")]
    [InlineData("InLambda", "method <Speeds>")]
    [InlineData("InAsync", "method MoveNext")]
    [InlineData("InTypeArgument", "method Count")]
    public void A_policy_that_looks_up_to_the_engine_is_found(string type, string where)
    {
        var breaches = FixtureBreaches()
            .Where(b => b.StartsWith($"{FixtureRoot}.Policies.{type},", StringComparison.Ordinal));

        Assert.Contains(breaches, b => b.Contains(where, StringComparison.Ordinal)
            && b.Contains("must not look up to Engine", StringComparison.Ordinal));
    }

    [Fact]
    public void Strangers_on_one_floor_and_rooms_without_a_floor_are_found()
    {
        var breaches = FixtureBreaches();

        Assert.Contains(breaches, b => b.Contains(
            "Policies and Telemetry stand on one floor", StringComparison.Ordinal));
        Assert.Contains(breaches, b => b.Contains("'Cellar' is no room", StringComparison.Ordinal));
    }

    [Fact]
    public void Looking_down_and_staying_in_the_room_are_no_breaches() =>
        Assert.DoesNotContain(FixtureBreaches(), b =>
            b.StartsWith($"{FixtureRoot}.Engine.", StringComparison.Ordinal)
            || b.StartsWith($"{FixtureRoot}.Policies.Decent", StringComparison.Ordinal));

    /// <summary>The journal is for tests and drills, which read it from another thread; it decides nothing.</summary>
    private static bool IsAllowed(TypeUse use) =>
        use.User is { Namespace: "Spillway.Flow", Name: "FlowJournal" }
        && use.Used.Name.StartsWith("Lock", StringComparison.Ordinal);

    private static List<string> FixtureBreaches()
    {
        var floors = new Floors(FixtureRoot);
        return [.. Uses("Spillway.Tests").Select(floors.Judge).OfType<string>()];
    }

    private static IReadOnlyCollection<TypeUse> Uses(string assembly) =>
        AssemblyUses.Read(Path.Combine(AppContext.BaseDirectory, assembly + ".dll"));

    private static void Empty(IEnumerable<string?> breaches) =>
        Assert.True(!breaches.Any(b => b is not null), string.Join('\n', breaches.OfType<string>()));
}
