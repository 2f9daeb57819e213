namespace Spillway.Tests.Architecture.Fixture;

/// <summary>Six lines between braces. Optimised code has no instruction, and so no line, for the braces.</summary>
internal static class LongMethod
{
    public static int SixLines(int start)
    {
        var sum = start;
        sum += 1;

        sum += 2;
        sum += 3;
        return sum;
    }
}
