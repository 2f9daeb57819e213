using Spillway.Tests.Architecture.Fixture.Policies;

namespace Spillway.Tests.Architecture.Fixture.Engine;

/// <summary>Something on the fourth floor. It looks down, which is allowed.</summary>
internal class Machine
{
    public static int Speed { get; set; } = new Decent().Limit;

    public static int Count<T>() => typeof(T).Name.Length;
}
