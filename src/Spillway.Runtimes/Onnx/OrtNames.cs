using System.Text;

namespace Spillway.Runtimes.Onnx;

/// <summary>Names of ports as the native library takes them: an array of pointers to UTF-8 that ends in NUL.</summary>
internal readonly unsafe struct OrtNames
{
    // Both arrays are pinned for their whole life; the garbage collector frees them with the model.
    private readonly byte[] _text;
    private readonly nint[] _pointers;

    public OrtNames(IReadOnlyList<TensorSpec> ports)
    {
        var bytes = ports.Sum(static port => port.NameUtf8.Length + 1);
        _text = GC.AllocateArray<byte>(bytes, pinned: true);
        _pointers = GC.AllocateArray<nint>(ports.Count, pinned: true);
        fixed (byte* text = _text)
        {
            var at = 0;
            for (var i = 0; i < ports.Count; i++)
            {
                ports[i].NameUtf8.CopyTo(_text, at);
                _pointers[i] = (nint)(text + at);
                at += ports[i].NameUtf8.Length + 1;
            }
        }
    }

    /// <summary>How many.</summary>
    public nuint Count => (nuint)_pointers.Length;

    /// <summary>The array; valid while this object is reachable.</summary>
    public nint* Pointer => (nint*)System.Runtime.CompilerServices.Unsafe.AsPointer(
        ref System.Runtime.InteropServices.MemoryMarshal.GetArrayDataReference(_pointers));

    /// <summary>A string as UTF-8 that ends in NUL.</summary>
    public static byte[] Text(string value)
    {
        var bytes = new byte[Encoding.UTF8.GetByteCount(value) + 1];
        Encoding.UTF8.GetBytes(value, bytes);
        return bytes;
    }
}
