using System.CommandLine;

namespace Spillway.App.Cli.Keys;

/// <summary>--server and --key, or --config: which keys are meant.</summary>
internal sealed class PlaceOptions
{
    private readonly Option<string> _server = Commands.ServerOption();
    private readonly Option<string> _key = Commands.KeyOption();
    private readonly Option<string?> _config = new("--config")
    {
        Description = "The configuration of a stopped server, in place of a running one: works on its state folder, "
            + "and "
            + "needs no key.",
        HelpName = "path",
    };

    public void AddTo(Command command)
    {
        command.Add(_config);
        command.Add(_server);
        command.Add(_key);
    }

    public Task<KeyDesk> OpenAsync(ParseResult parsed) =>
        KeyDesk.OpenAsync(parsed.GetValue(_config), Commands.Place(parsed, _server, _key));
}
