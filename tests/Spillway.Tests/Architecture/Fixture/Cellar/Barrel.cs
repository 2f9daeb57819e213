namespace Spillway.Tests.Architecture.Fixture.Cellar;

/// <summary>A room that no floor knows.</summary>
internal static class Barrel
{
    public static int Size { get; set; }
}
