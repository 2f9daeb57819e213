namespace Spillway.Transforms.Picture;

/// <summary>How a PNG becomes a tensor float32 [1, channels, height, width].</summary>
public sealed record PictureOptions
{
    /// <summary>Name of the BYTES input that clients see.</summary>
    [Option("Name of the BYTES [-1] input that clients see; one picture per element.", Required = true)]
    public string Name { get; init; } = "";

    /// <summary>The model's input that it fills.</summary>
    [Option("The model's own input that it fills.", Required = true)]
    public string To { get; init; } = "";

    /// <summary>Height that every picture is scaled to, keeping its ratio.</summary>
    [Option("Height that every picture is scaled to, keeping its ratio.", Unit = "pixels",
        Min = 1, Max = 8192, Required = true)]
    public int Height { get; init; }

    /// <summary>Part of the width that is kept.</summary>
    [Option("Part of the width that is kept after scaling: 0.5 squeezes every picture to half of it, which costs a "
        + "model over lines half the time and some of its accuracy.", Min = 0.1, Max = 1, Source = "the whole of it")]
    public double WidthScale { get; init; } = 1;

    /// <summary>Narrowest tensor; a narrower picture is padded on the right.</summary>
    [Option("The narrowest tensor; a narrower picture is padded on the right with zeros.", Unit = "pixels",
        Min = 1, Max = 65536)]
    public int WidthMin { get; init; } = 16;

    /// <summary>Widest tensor; a wider picture is refused.</summary>
    [Option("The widest tensor after scaling; a wider picture is refused.",
        Unit = "pixels", Min = 1, Max = 65536, Source = "a line of 48 pixels and 4,096 holds some 250 characters")]
    public int WidthMax { get; init; } = 4096;

    /// <summary>"rgb", "bgr" or "grey".</summary>
    [Option("Order of the channels.", OneOf = "rgb|bgr|grey")]
    public string Channels { get; init; } = "rgb";

    /// <summary>value = (v / 255 - mean) / deviation.</summary>
    [Option("value = (v / 255 - mean) / deviation.", Min = -255, Max = 255)]
    public double Mean { get; init; }

    /// <summary>value = (v / 255 - mean) / deviation.</summary>
    [Option("value = (v / 255 - mean) / deviation.", Min = 0.000001, Max = 255)]
    public double Deviation { get; init; } = 1;

    /// <summary>Declared pixels beyond this are refused before anything is allocated.</summary>
    [Option("Declared pixels (width times height) beyond this are refused before anything is allocated.",
        Unit = "pixels", Min = 1, Max = 268_435_456, Source = "a scanned A4 page at 400 dots per inch")]
    public int PixelsMax { get; init; } = 16_000_000;
}
