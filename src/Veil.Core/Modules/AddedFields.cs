namespace Veil.Core.Modules;

/// <summary>Which flag of a module adds which fields to its events.</summary>
public static class AddedFields
{
    /// <summary>The module's flags that may add fields, each with arguments in which it alone is given.</summary>
    public static IEnumerable<(ModuleFlag Flag, ModuleArguments Arguments)> Flags(TraceModule module)
    {
        ArgumentNullException.ThrowIfNull(module);
        foreach (var flag in module.Flags)
        {
            if (flag.ValueName is null)
                yield return (flag, ModuleArguments.None with { Switches = new HashSet<string>(StringComparer.Ordinal) { flag.Name } });
            else if (flag == Thresholds.Slower)
                yield return (flag, ModuleArguments.None with { Values = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal) { [flag.Name] = ["1s"] } });
        }
    }

    /// <summary>The flag of one of the modules that adds a field, with its dashes; nothing where none does.</summary>
    public static string? FlagFor(IEnumerable<TraceModule> modules, string field)
    {
        ArgumentNullException.ThrowIfNull(modules);
        foreach (var module in modules)
        {
            foreach (var (flag, arguments) in Flags(module))
            {
                if (ModuleEvents.Read([module.ForDoctor()], arguments).Schemas.Any(schema => schema.Fields.Any(known => known.Name == field)))
                    return "--" + flag.Name;
            }
        }

        return null;
    }
}
