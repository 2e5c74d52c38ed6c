"""From one speckle pattern to the bodies: positions, sizes, and whether that is right."""
