namespace Spillway.Tests.Architecture.Fixture.Policies;

/// <summary>A policy that stays in its room.</summary>
internal sealed class Decent
{
    public int Limit { get; } = Math.Max(1, Other.Two);
}

internal static class Other
{
    public static int Two => 2;
}
