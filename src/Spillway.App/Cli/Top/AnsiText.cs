using System.Text;

namespace Spillway.App.Cli.Top;

/// <summary>A grid as what a terminal wants to read. Pure.</summary>
internal static class AnsiText
{
    /// <summary>The other screen, without wrapping and cursor; what was there comes back at the end.</summary>
    public const string Enter = "\e[?1049h\e[?7l\e[?25l\e[2J";

    /// <summary>Undoes <see cref="Enter"/>, and what reading keys set: the keypad.</summary>
    public const string Leave = "\e[0m\e[?25h\e[?7h\e[?1l\e>\e[?1049l";

    /// <summary>
    /// Paints the whole grid from the top left corner; rows are placed one by one and their rests cleared, so that it
    /// does not flicker and nothing of an earlier picture stays.
    /// </summary>
    /// <param name="grid">What to show.</param>
    /// <param name="colours">False for characters only; the chosen row is then marked by its sign alone.</param>
    public static string Paint(TextGrid grid, bool colours)
    {
        var text = new StringBuilder(grid.Width * grid.Height * 2);
        for (var y = 0; y < grid.Height; y++)
        {
            text.Append("\e[").Append(y + 1).Append(";1H");
            var look = Look.Plain;
            var end = End(grid, y, colours);
            for (var x = 0; x < end; x++)
            {
                var cell = grid[x, y];
                if (colours && cell.Look != look)
                    text.Append(Code(look = cell.Look));
                text.Append(cell.Character);
            }

            if (look != Look.Plain)
                text.Append(Code(Look.Plain));
            text.Append("\e[K");
        }

        return text.ToString();
    }

    /// <summary>Blanks at the end are left to the terminal, unless they have a background.</summary>
    private static int End(TextGrid grid, int y, bool colours)
    {
        var end = grid.Width;
        while (end > 0 && grid[end - 1, y].Character == ' ' && !(colours && grid[end - 1, y].Look is Look.Chosen))
            end--;
        return end;
    }

    private static string Code(Look look) => look switch
    {
        Look.Plain => "\e[0m",
        Look.Faint => "\e[0;2m",
        Look.Bold => "\e[0;1m",
        Look.Good => "\e[0;32m",
        Look.Warn => "\e[0;33m",
        Look.Bad => "\e[0;31m",
        Look.Bar => "\e[0;36m",
        Look.Title => "\e[0;1;4m",
        Look.Chosen => "\e[0;7m",
    };
}
