using Spillway.Tests.Architecture.Fixture.Cellar;
using Spillway.Tests.Architecture.Fixture.Engine;
using Spillway.Tests.Architecture.Fixture.Telemetry;

namespace Spillway.Tests.Architecture.Fixture.Policies;

/// <summary>Deliberately wrong: policies that look up to the engine, each in its own way.</summary>
internal abstract class InSignature
{
    public abstract void Look(Machine machine);
}

internal sealed class InField
{
    private readonly List<Machine> _machine = [];

    public int Count => _machine.Count;
}

internal sealed class InBaseType : Machine;

internal static class InBody
{
    public static int Speed() => 2 * Machine.Speed;
}

internal static class InLambda
{
    public static IEnumerable<int> Speeds(int[] factors) => factors.Select(f => f * Machine.Speed);
}

internal static class InAsync
{
    public static async Task<int> SpeedAsync(Task before)
    {
        await before;
        return Machine.Speed;
    }
}

internal static class InTypeArgument
{
    public static int Count() => Array.Empty<Machine>().Length;
}

internal static class AmongStrangers
{
    public static int Seen() => Counter.Seen + Barrel.Size;
}
