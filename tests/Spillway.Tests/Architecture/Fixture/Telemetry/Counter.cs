namespace Spillway.Tests.Architecture.Fixture.Telemetry;

/// <summary>Something on the first floor.</summary>
internal static class Counter
{
    public static int Seen { get; set; }
}
