namespace Spillway.Transforms.Picture;

/// <summary>Faults of pictures.</summary>
internal static class PictureFault
{
    /// <summary>A picture that cannot be taken: what it is, the limit, and what to do.</summary>
    public static Fault Invalid(ref InvariantText message) => Fault.Invalid(message.Take());
}
