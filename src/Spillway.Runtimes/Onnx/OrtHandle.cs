using System.Runtime.InteropServices;

namespace Spillway.Runtimes.Onnx;

/// <summary>
/// Owns one native object. A child holds its parent, so a session is released only when its model and every replica's
/// run options are gone, in whatever order they are disposed or collected.
/// </summary>
internal sealed unsafe class OrtHandle : SafeHandle
{
    private readonly delegate* unmanaged<nint, void> _release;
    private readonly OrtHandle? _parent;

    /// <summary>Takes ownership of the object.</summary>
    public OrtHandle(nint value, delegate* unmanaged<nint, void> release, OrtHandle? parent = null)
        : base(invalidHandleValue: 0, ownsHandle: true)
    {
        _release = release;
        SetHandle(value);
        if (parent is null)
            return;
        var held = false;
        parent.DangerousAddRef(ref held);
        _parent = parent;
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>The object itself, for use between DangerousAddRef and DangerousRelease.</summary>
    public nint Value => handle;

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        _release(handle);
        _parent?.DangerousRelease();
        return true;
    }
}
