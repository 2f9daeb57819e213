namespace Spillway.App.Cli.Top;

/// <summary>How a cell looks; a terminal without colours shows the same characters.</summary>
internal enum Look : byte
{
    Plain,
    Faint,
    Bold,
    Good,
    Warn,
    Bad,
    Bar,
    Title,
    Chosen,
}

/// <summary>A screen's worth of characters. What does not fit is cut. One owner.</summary>
internal sealed class TextGrid
{
    private readonly char[] _characters;
    private readonly Look[] _looks;

    public TextGrid(int width, int height)
    {
        (Width, Height) = (Math.Max(width, 1), Math.Max(height, 1));
        _characters = new char[Width * Height];
        _looks = new Look[Width * Height];
        Array.Fill(_characters, ' ');
    }

    public int Width { get; }

    public int Height { get; }

    /// <summary>The character and look of a cell.</summary>
    public (char Character, Look Look) this[int x, int y] => (_characters[(y * Width) + x], _looks[(y * Width) + x]);

    /// <summary>A row without the blanks at its end.</summary>
    public string Line(int y) => new string(_characters, y * Width, Width).TrimEnd();

    /// <summary>Every row.</summary>
    public override string ToString() => string.Join('\n', Enumerable.Range(0, Height).Select(Line)).TrimEnd('\n');

    /// <summary>Writes text from a cell on; control characters become dots. Returns where it ended.</summary>
    public int Put(int x, int y, string text, Look look = Look.Plain)
    {
        foreach (var character in text)
        {
            if (x >= 0 && x < Width && y >= 0 && y < Height)
            {
                _characters[(y * Width) + x] = char.IsControl(character) ? '·' : character;
                _looks[(y * Width) + x] = look;
            }

            x++;
        }

        return x;
    }

    /// <summary>Gives a whole row a look.</summary>
    public void Paint(int y, Look look)
    {
        if (y >= 0 && y < Height)
            Array.Fill(_looks, look, y * Width, Width);
    }
}
